//! The record of proofs: what was proved by which user in which login, and the results that are therefore allowed.
//!
//! A proof is recorded when the right value is sent to a page that asks for it. Whether the provider accepts it is its
//! own decision, so the record may contain more than counts, never less.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::world::{AuthenticatorSnapshot, Device, Holding, Rules};

pub(super) type Name = &'static str;
/// How many seconds a proof counts for a change of credentials.
const RECENT: i64 = 300;
const TWO: &str = "urn:vestibule:acr:2fa";

/// Something right that was sent.
#[derive(Clone, Debug)]
pub(super) struct Proof {
    pub(super) user: Name,
    pub(super) what: What,
    pub(super) at: i64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// The password, as it was stored then.
    Password(String),
    /// A code of this authenticator.
    Code(Device),
    /// A recovery code.
    Recovery,
}

/// A login in progress.
#[derive(Clone, Debug, Default)]
pub(super) struct Login {
    /// Whose password was right last.
    pub(super) user: Option<Name>,
    pub(super) proofs: Vec<Proof>,
    /// When the application asked.
    pub(super) asked_at: i64,
    /// Must all be proved in this login?
    pub(super) fresh: bool,
    /// How old may a proof be?
    pub(super) max_age: Option<i64>,
    pub(super) essential: bool,
    /// Does the application care how its user was recognised?
    pub(super) asks_acr: bool,
    /// Where the code that was sent last in it went.
    pub(super) destination: Option<Device>,
}

/// A session: what earlier logins of this browser proved.
#[derive(Clone, Debug)]
pub(super) struct Session {
    pub(super) user: Name,
    pub(super) proofs: Vec<Proof>,
    began: i64,
    used: i64,
}

/// A link that was opened.
#[derive(Clone, Debug)]
pub(super) struct Reset {
    pub(super) user: Name,
    pub(super) proofs: Vec<Proof>,
    /// The password that was chosen.
    pub(super) password: Option<String>,
    /// When it became the user's.
    pub(super) changed_at: Option<i64>,
}

impl Reset {
    pub(super) fn prove(&mut self, what: Option<What>, at: i64) {
        self.proofs.extend(what.map(|what| Proof { user: self.user, what, at }));
    }
}

/// What is known of a browser.
#[derive(Clone, Debug, Default)]
pub(super) struct Browser {
    pub(super) session: Option<Session>,
    /// The users who trust it, and until when.
    pub(super) trusted: BTreeMap<Name, i64>,
    pub(super) reset: Option<Reset>,
}

/// Who acted, as far as what they may change goes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Actor<'a> {
    Login(&'a Login),
    Reset(&'a Reset),
    Operator,
    Nobody,
}

impl Browser {
    /// What the session lends to a login of this user.
    fn lent(&self, login: &Login, user: Name, now: i64) -> Vec<Proof> {
        let session = self.session.as_ref().filter(|session| session.user == user && !login.fresh);
        let alive = session.filter(|it| now - it.used < 30 * 60 && now - it.began < 12 * 3600);
        alive.map(|session| session.proofs.clone()).unwrap_or_default()
    }

    /// Everything that counts for this user in this login.
    fn proofs(&self, login: &Login, user: Name, now: i64) -> Vec<Proof> {
        let mut all = self.lent(login, user, now);
        all.extend(login.proofs.iter().filter(|proof| proof.user == user).cloned());
        all
    }
}

/// The newest proof of a kind.
fn newest(proofs: &[Proof], counts: impl Fn(&What) -> bool) -> Option<i64> {
    proofs.iter().filter(|proof| counts(&proof.what)).map(|proof| proof.at).max()
}

/// A code came out of this login: was it earned, and does the ID token claim no more than that? The browser has a
/// session afterwards.
pub(super) fn judge(
    browser: &mut Browser,
    login: &Login,
    token: &Map<String, Value>,
    has: &AuthenticatorSnapshot,
    rules: &Rules,
    now: i64,
) {
    let sub = token["sub"].as_str().unwrap();
    let (&user, holding) = has.get_key_value(sub).unwrap_or_else(|| panic!("{sub} is nobody"));
    let Holding { password, device, admin } = holding;
    let proofs = browser.proofs(login, user, now);
    let first = newest(&proofs, |what| *what == What::Password(password.clone()));
    let first = first.unwrap_or_else(|| panic!("{user}: no password\n{login:#?}\n{browser:#?}"));
    let second =
        device.as_ref().and_then(|device| newest(&proofs, |what| *what == What::Code(device.clone())));

    let enough = |device: &Device| !matches!(device, Device::Mail(_)) || rules.mail_counts && !admin;
    let two = second.filter(|_| device.as_ref().is_some_and(enough));
    let duty = *admin && rules.duty;
    let trusts = rules.trust && !admin && browser.trusted.get(user).is_some_and(|&until| now < until);
    let skips = trusts && device.is_some() && !login.asks_acr;
    let context = || format!("{user} {holding:?} {rules:?}\n{token:?}\n{login:#?}\n{browser:#?}");

    if duty {
        let held = second.filter(|_| device.as_ref().is_some_and(Device::is_held));
        assert!(held.is_some(), "an administrator without a device: {}", context());
    }
    if (device.is_some() || rules.required) && !skips {
        assert!(second.is_some(), "without a second factor: {}", context());
    }
    if login.essential {
        assert!(two.is_some() && token["acr"] == TWO, "less than was demanded: {}", context());
    }
    let claims_two = token["acr"] == TWO;
    assert!(!claims_two || two.is_some(), "two factors that were not proved: {}", context());

    let methods: Vec<_> = token["amr"].as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect();
    for method in &methods {
        let earned = match *method {
            "pwd" => true,
            "mfa" => two.is_some(),
            "otp" => second.is_some() && !matches!(device, Some(Device::Sms(_))),
            "sms" => second.is_some() && matches!(device, Some(Device::Sms(_))),
            "mca" => second.is_some() && matches!(device, Some(Device::Sms(_) | Device::Mail(_))),
            "rba" => trusts,
            _ => false,
        };
        assert!(earned, "{method} was not earned: {}", context());
    }
    assert_eq!(methods.contains(&"mfa"), claims_two, "{}", context());

    let auth_time = token["auth_time"].as_i64().unwrap();
    let oldest = if claims_two { first.min(two.unwrap()) } else { first };
    // Who proves the same twice within a second gets the next one.
    assert!(auth_time <= oldest + 1, "fresher than {oldest}: {}", context());
    let since =
        if login.fresh { Some(login.asked_at) } else { login.max_age.map(|age| login.asked_at - age) };
    assert!(since.is_none_or(|since| auth_time >= since), "older than {since:?}: {}", context());

    let alive = browser.session.take().filter(|session| session.user == user);
    let alive = alive.filter(|it| now - it.used < 30 * 60 && now - it.began < 12 * 3600);
    // The record may contain a session that ended for another reason: proving the password starts one that lasts as
    // long.
    let renewed = newest(&login.proofs, |what| matches!(what, What::Password(_))).is_some();
    let began = alive.as_ref().filter(|_| !renewed).map_or(now, |session| session.began);
    let mut kept = alive.map(|session| session.proofs).unwrap_or_default();
    kept.extend(login.proofs.iter().filter(|proof| proof.user == user).cloned());
    browser.session = Some(Session { user, proofs: kept, began, used: now });
}

/// Two browsers with the same session: what one uses does not lie idle for the other.
pub(super) fn used_together(one: &mut Option<Session>, other: &mut Option<Session>) {
    if let (Some(one), Some(other)) = (one, other)
        && (one.user, one.began) == (other.user, other.began)
    {
        let used = one.used.max(other.used);
        (one.used, other.used) = (used, used);
    }
}

/// Checks that the actor was allowed to change a user's password or authenticator.
pub(super) fn check_change(
    user: Name,
    before: &Holding,
    after: &Holding,
    actor: Actor<'_>,
    rules: &Rules,
    now: i64,
) {
    let context = || format!("{user}: {before:?} -> {after:?}\n{rules:?}\n{actor:#?}");
    let shown = |proofs: &[Proof], device: &Device| {
        newest(proofs, |what| *what == What::Code(device.clone())).is_some()
    };
    let proved = |proofs: &[Proof], device: &Device| {
        shown(proofs, device) || newest(proofs, |what| *what == What::Recovery).is_some()
    };
    match actor {
        Actor::Nobody => panic!("{}", context()),
        Actor::Operator => assert_eq!(before.password, after.password, "{}", context()),
        Actor::Login(login) => {
            assert_eq!(before.password, after.password, "no login changes a password here: {}", context());
            // What changes a credential is proved in this login, and lately: no session lends anything.
            let proofs = login.proofs.iter().filter(|proof| proof.user == user && now - proof.at <= RECENT);
            let proofs: Vec<_> = proofs.cloned().collect();
            let password = newest(&proofs, |what| *what == What::Password(before.password.clone()));
            assert!(password.is_some(), "enrolled without the password: {}", context());
            let new = after.device.as_ref().unwrap_or_else(|| panic!("removed: {}", context()));
            assert!(shown(&proofs, new), "enrolled without its code: {}", context());
            if let Some(old) = &before.device {
                assert!(proved(&proofs, old), "replaced without the one before: {}", context());
            } else {
                let by_mail = before.admin && rules.duty && rules.by_mail;
                assert!(!by_mail, "an administrator activates by mail alone: {}", context());
            }
        }
        Actor::Reset(reset) => {
            assert_eq!(reset.user, user, "without a link: {}", context());
            if let Some(old) = &before.device {
                assert!(proved(&reset.proofs, old), "by the mailbox alone: {}", context());
            }
            if before.device != after.device {
                let new = after.device.as_ref().unwrap_or_else(|| panic!("removed: {}", context()));
                assert!(shown(&reset.proofs, new), "enrolled without its code: {}", context());
                let lately = reset.changed_at.is_some_and(|at| now - at <= RECENT);
                assert!(lately, "enrolled long after the password: {}", context());
            }
        }
    }
}
