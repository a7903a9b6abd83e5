//! Facts: proofs and answers of a user, each with its time.
//!
//! The engine compares facts with needs. A fact is only added by the code that has checked it.
//!
//! Facts belong to one user: [`Facts`] names that user, and facts of two users are never joined. The session cookie of
//! a browser may be replaced in the middle of a login, by another tab or by an attacker, so a recovery code proved as
//! one user must not count for the next.

use serde::{Deserialize, Serialize};

use super::acr::{Acr, AuthContext};
use super::authenticator::{FactorStrength, Held};
use super::ids::{AuthenticatorId, TrustedBrowserId, UpstreamId, UserId};
use super::passkey::KeyStorage;
use super::scope::Scope;
use super::time::Time;
use super::upstream::Vouched;

/// One fact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// The proof or answer.
    pub kind: FactKind,
    /// The time of the proof or answer.
    pub at: Time,
}

/// A proof or an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FactKind {
    /// The password was right.
    Password,
    /// An upstream provider authenticated the user, possibly with a second factor.
    Upstream(Vouched),
    /// A passkey identified its user and verified them: two factors at once.
    PasskeySignIn {
        /// The passkey.
        id: AuthenticatorId,
        /// The storage of its private key.
        custody: KeyStorage,
    },
    /// A code made by this application or device was accepted and is consumed.
    Otp(AuthenticatorId),
    /// A code sent to this telephone was accepted and is consumed.
    SmsCode(AuthenticatorId),
    /// A code sent to this mailbox was accepted and is consumed.
    MailCode(AuthenticatorId),
    /// This passkey or security key was used.
    Passkey {
        /// The passkey.
        id: AuthenticatorId,
        /// The storage of its private key.
        custody: KeyStorage,
    },
    /// A recovery code was accepted and is consumed. A new authenticator must be enrolled.
    RecoveryCode,
    /// The user trusts this browser, so the second factor is skipped. This is not a factor itself.
    TrustedBrowser(TrustedBrowserId),
    /// The user has seen the announcement of the second-factor duty.
    NoticeSeen {
        /// Whether the user wants to enrol at once.
        enrol: bool,
    },
    /// The user chose to continue with this signed-in account.
    AccountChosen(UserId),
    /// The user consented to these scopes.
    Consent(Scope),
}

impl FactKind {
    /// Its name in the audit trail.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Upstream(_) => "upstream",
            Self::PasskeySignIn { .. } => "passkey_sign_in",
            Self::Otp(_) => "otp",
            Self::SmsCode(_) => "sms_code",
            Self::MailCode(_) => "mail_code",
            Self::Passkey { .. } => "passkey",
            Self::RecoveryCode => "recovery_code",
            Self::TrustedBrowser(_) => "trusted_browser",
            Self::NoticeSeen { .. } => "notice_seen",
            Self::AccountChosen(_) => "account_chosen",
            Self::Consent(_) => "consent",
        }
    }
}

/// The question that a fact answers; only the newest fact per question counts.
#[derive(PartialEq, Eq)]
enum FactQuestion {
    FirstFactor,
    SecondFactor,
    Trust,
    Notice,
    Account,
    Consent,
}

impl FactQuestion {
    const fn is_factor(&self) -> bool {
        matches!(self, Self::FirstFactor | Self::SecondFactor)
    }
}

impl FactKind {
    const fn question(&self) -> FactQuestion {
        match self {
            Self::Password | Self::PasskeySignIn { .. } | Self::Upstream(_) => FactQuestion::FirstFactor,
            Self::Otp(_)
            | Self::SmsCode(_)
            | Self::MailCode(_)
            | Self::Passkey { .. }
            | Self::RecoveryCode => FactQuestion::SecondFactor,
            Self::TrustedBrowser(_) => FactQuestion::Trust,
            Self::NoticeSeen { .. } => FactQuestion::Notice,
            Self::AccountChosen(_) => FactQuestion::Account,
            Self::Consent(_) => FactQuestion::Consent,
        }
    }

    /// Its strength as a second factor; `None` if it is not one.
    const fn worth(&self) -> Option<FactorStrength> {
        match self {
            Self::PasskeySignIn { .. } | Self::Passkey { .. } => Some(FactorStrength::PhishingResistant),
            Self::Otp(_) | Self::RecoveryCode => Some(FactorStrength::Device),
            Self::SmsCode(_) => Some(FactorStrength::Sms),
            Self::MailCode(_) => Some(FactorStrength::Mail),
            _ => None,
        }
    }

    /// Its method names of RFC 8176.
    const fn amr(&self) -> &'static [&'static str] {
        match self {
            Self::Password => &["pwd"],
            Self::Otp(_) | Self::MailCode(_) | Self::RecoveryCode => &["otp"],
            Self::SmsCode(_) => &["sms"],
            Self::PasskeySignIn { custody, .. } | Self::Passkey { custody, .. } => match custody {
                KeyStorage::Device => &["hwk", "user"],
                KeyStorage::Synchronised => &["swk", "user"],
            },
            Self::Upstream(_)
            | Self::TrustedBrowser(_)
            | Self::NoticeSeen { .. }
            | Self::AccountChosen(_)
            | Self::Consent(_) => &[],
        }
    }

    /// The authenticator that was used.
    const fn authenticator(&self) -> Option<&AuthenticatorId> {
        match self {
            Self::Otp(id)
            | Self::SmsCode(id)
            | Self::MailCode(id)
            | Self::PasskeySignIn { id, .. }
            | Self::Passkey { id, .. } => Some(id),
            _ => None,
        }
    }
}

/// A proved second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProvedSecondFactor {
    /// The time of the proof.
    pub at: Time,
    /// Its strength.
    pub worth: FactorStrength,
}

/// The facts of one user, in a session or in a login in progress. The default is empty and belongs to no user.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    user: Option<UserId>,
    facts: Vec<Fact>,
}

impl Facts {
    /// The empty facts of this user.
    pub const fn of(user: UserId) -> Self {
        Self { user: Some(user), facts: Vec::new() }
    }

    /// The stored facts of this user.
    pub const fn restore(user: UserId, facts: Vec<Fact>) -> Self {
        Self { user: Some(user), facts }
    }

    /// The user that the facts belong to.
    pub const fn user(&self) -> Option<&UserId> {
        self.user.as_ref()
    }

    /// Adds a fact of this user, in place of an earlier answer to the same question. So a recovery code replaces the
    /// lost authenticator, and the first code of a new authenticator replaces the recovery code.
    ///
    /// If the facts belong to another user, those are dropped.
    pub fn add(&mut self, user: &UserId, kind: FactKind, at: Time) {
        if self.user.as_ref() != Some(user) {
            *self = Self::of(user.clone());
        }
        self.facts.retain(|fact| fact.kind.question() != kind.question());
        self.facts.push(Fact { kind, at });
    }

    /// Joins both; of two answers to the same question the newer one is kept, and with equal times `other`'s. If
    /// `other` belongs to another user, it is ignored.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        let Some(user) = &self.user else { return other.clone() };
        let mut all = self.clone();
        for fact in other.for_user(user).facts {
            if all.answer(&fact.kind.question()).is_none_or(|ours| ours.at <= fact.at) {
                all.add(user, fact.kind, fact.at);
            }
        }
        all
    }

    fn filter(&self, counts: impl Fn(&Fact) -> bool) -> Self {
        Self {
            user: self.user.clone(),
            facts: self.facts.iter().filter(|fact| counts(fact)).cloned().collect(),
        }
    }

    /// These facts if they belong to this user; otherwise none.
    #[must_use]
    pub fn for_user(&self, user: &UserId) -> Self {
        if self.user.as_ref() == Some(user) { self.clone() } else { Self::of(user.clone()) }
    }

    /// The facts that a session keeps: proved factors, and announcements that need not be repeated.
    #[must_use]
    pub fn session_facts(&self) -> Self {
        self.filter(|fact| !matches!(fact.kind.question(), FactQuestion::Account | FactQuestion::Consent))
    }

    /// Drops facts proved with other authenticators than these: a revoked authenticator proves nothing.
    #[must_use]
    pub fn for_authenticators(&self, held: &[Held]) -> Self {
        self.filter(|fact| fact.kind.authenticator().is_none_or(|id| held.iter().any(|held| held.id == *id)))
    }

    /// Drops the trusted-browser fact unless it is for this browser.
    #[must_use]
    pub fn for_browser(&self, trusted: Option<&TrustedBrowserId>) -> Self {
        self.filter(|fact| !matches!(&fact.kind, FactKind::TrustedBrowser(id) if Some(id) != trusted))
    }

    /// Returns whether the user trusts the browser.
    pub fn is_trusted_browser(&self) -> bool {
        self.answer(&FactQuestion::Trust).is_some()
    }

    /// Drops factors that are older than this. A trusted browser skips the second factor, and then an old second factor
    /// must not make `auth_time` older than the client accepts.
    #[must_use]
    pub fn not_before(&self, since: Option<Time>) -> Self {
        self.filter(|fact| !fact.kind.question().is_factor() || since.is_none_or(|since| since <= fact.at))
    }

    /// Drops factors with a time in the future of the clock, because their age is unknown.
    #[must_use]
    pub fn without_future_factors(&self, now: Time) -> Self {
        self.filter(|fact| !fact.kind.question().is_factor() || !fact.at.is_ahead_of(now))
    }

    /// Drops factors of another place: a linked account is proved at its upstream provider only, any other account here
    /// only.
    #[must_use]
    pub fn for_upstream(&self, upstream: Option<&UpstreamId>) -> Self {
        self.filter(|fact| match &fact.kind {
            FactKind::Upstream(vouched) => upstream == Some(&vouched.upstream),
            kind => upstream.is_none() || !kind.question().is_factor(),
        })
    }

    /// Returns whether there is no fact.
    pub fn is_empty(&self) -> bool {
        self.facts.is_empty()
    }

    /// The facts in the order in which they were added.
    pub fn list(&self) -> &[Fact] {
        &self.facts
    }

    fn answer(&self, question: &FactQuestion) -> Option<&Fact> {
        self.facts.iter().find(|fact| fact.kind.question() == *question)
    }

    /// The time of the first factor.
    pub fn first_factor(&self) -> Option<Time> {
        self.answer(&FactQuestion::FirstFactor).map(|fact| fact.at)
    }

    /// Returns whether the first factor is a password.
    pub fn has_password(&self) -> bool {
        self.answer(&FactQuestion::FirstFactor).is_some_and(|fact| fact.kind == FactKind::Password)
    }

    /// The authentication by an upstream provider, and its time.
    pub fn vouched(&self) -> Option<(&Vouched, Time)> {
        self.facts.iter().find_map(|fact| match &fact.kind {
            FactKind::Upstream(vouched) => Some((vouched, fact.at)),
            _ => None,
        })
    }

    /// The proved second factor: an authenticator, a recovery code, a sign-in with a passkey, or upstream.
    pub fn second_factor(&self) -> Option<ProvedSecondFactor> {
        if let Some((Vouched { mfa: true, .. }, at)) = self.vouched() {
            return Some(ProvedSecondFactor { at, worth: Vouched::WORTH });
        }
        let fact = self.second()?;
        Some(ProvedSecondFactor { at: fact.at, worth: fact.kind.worth()? })
    }

    /// The fact behind the second factor: the stronger one, and of equals the newer.
    fn second(&self) -> Option<&Fact> {
        let both = [FactQuestion::FirstFactor, FactQuestion::SecondFactor];
        let facts = both.iter().filter_map(|question| self.answer(question));
        facts.filter(|fact| fact.kind.worth().is_some()).max_by_key(|fact| (fact.kind.worth(), fact.at))
    }

    /// Returns whether the second factor was a recovery code and no new authenticator was enrolled since.
    pub fn is_recovering(&self) -> bool {
        self.answer(&FactQuestion::SecondFactor).is_some_and(|fact| fact.kind == FactKind::RecoveryCode)
    }

    /// Whether the user wants to enrol; `None` if the announcement was not seen.
    pub fn notice(&self) -> Option<bool> {
        self.facts.iter().find_map(|fact| match fact.kind {
            FactKind::NoticeSeen { enrol } => Some(enrol),
            _ => None,
        })
    }

    /// The account chosen by the user.
    pub fn account(&self) -> Option<&UserId> {
        self.facts.iter().find_map(|fact| match &fact.kind {
            FactKind::AccountChosen(user) => Some(user),
            _ => None,
        })
    }

    /// The scopes the user consented to.
    pub fn consent(&self) -> Option<&Scope> {
        self.facts.iter().find_map(|fact| match &fact.kind {
            FactKind::Consent(scope) => Some(scope),
            _ => None,
        })
    }

    /// Computes `auth_time`, `acr` and `amr`; `None` before the first factor.
    ///
    /// `enough` is the minimum strength of a second factor that counts as one: mail counts only if the tenant says so.
    /// `auth_time` is that of the *oldest* factor relied on, so that it never overstates freshness.
    pub fn context(&self, enough: FactorStrength) -> Option<AuthContext> {
        if let Some((vouched, auth_time)) = self.vouched() {
            let acr = if vouched.mfa { Acr::TwoFactors } else { Acr::OneFactor };
            return Some(AuthContext { auth_time, acr, amr: vouched.amr.clone() });
        }
        let first = self.answer(&FactQuestion::FirstFactor)?;
        let second = self.second();
        let counts = second.filter(|fact| fact.kind.worth().is_some_and(|worth| worth >= enough));
        let mut amr = first.kind.amr().to_vec();
        amr.extend(second.filter(|second| *second != first).map_or(&[][..], |second| second.kind.amr()));
        amr.extend((second.is_none() && self.is_trusted_browser()).then_some("rba"));
        amr.extend(counts.map(|_| "mfa"));
        let delivered = |fact: &Fact| matches!(fact.kind, FactKind::SmsCode(_) | FactKind::MailCode(_));
        amr.extend(second.is_some_and(delivered).then_some("mca"));
        let acr = match counts.and_then(|fact| fact.kind.worth()) {
            Some(FactorStrength::PhishingResistant) => Acr::PhishingResistant,
            Some(_) => Acr::TwoFactors,
            None => Acr::OneFactor,
        };
        Some(AuthContext {
            auth_time: counts.map_or(first.at, |second| second.at.min(first.at)),
            acr,
            amr: amr.into_iter().map(str::to_owned).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Time {
        Time::from_unix(second)
    }

    fn anna() -> UserId {
        UserId::new("anna")
    }

    fn otp(id: &str) -> FactKind {
        FactKind::Otp(AuthenticatorId::new(id))
    }

    #[test]
    fn auth_time_is_that_of_the_oldest_factor() {
        let mut facts = Facts::default();
        assert_eq!(facts.context(FactorStrength::Sms), None);
        facts.add(&anna(), FactKind::Password, at(10));
        assert_eq!(facts.context(FactorStrength::Sms).unwrap().acr, Acr::OneFactor);
        facts.add(&anna(), otp("a"), at(20));
        let context = facts.context(FactorStrength::Sms).unwrap();
        assert_eq!((context.acr, context.auth_time), (Acr::TwoFactors, at(10)));
    }

    /// The `acr` and `amr` for every kind of second factor.
    #[test]
    fn level_and_methods_follow_from_the_kinds_of_factors() {
        let a = || AuthenticatorId::new("a");
        let passkey = |custody| FactKind::Passkey { id: a(), custody };
        let table = [
            (None, FactorStrength::Sms, Acr::OneFactor, "pwd"),
            (Some(FactKind::Otp(a())), FactorStrength::Sms, Acr::TwoFactors, "pwd otp mfa"),
            (Some(FactKind::RecoveryCode), FactorStrength::Sms, Acr::TwoFactors, "pwd otp mfa"),
            (Some(FactKind::SmsCode(a())), FactorStrength::Sms, Acr::TwoFactors, "pwd sms mfa mca"),
            (Some(FactKind::MailCode(a())), FactorStrength::Sms, Acr::OneFactor, "pwd otp mca"),
            (Some(FactKind::MailCode(a())), FactorStrength::Mail, Acr::TwoFactors, "pwd otp mfa mca"),
            (
                Some(passkey(KeyStorage::Device)),
                FactorStrength::Sms,
                Acr::PhishingResistant,
                "pwd hwk user mfa",
            ),
            (
                Some(passkey(KeyStorage::Synchronised)),
                FactorStrength::Sms,
                Acr::PhishingResistant,
                "pwd swk user mfa",
            ),
        ];
        for (second, enough, acr, amr) in table {
            let mut facts = Facts::default();
            facts.add(&anna(), FactKind::Password, at(20));
            if let Some(kind) = second {
                facts.add(&anna(), kind, at(10));
            }
            let context = facts.context(enough).unwrap();
            assert_eq!((context.acr, context.amr.join(" ").as_str()), (acr, amr));
            let relied_on = if acr == Acr::OneFactor { 20 } else { 10 };
            assert_eq!(context.auth_time, at(relied_on), "{amr}");
        }
    }

    #[test]
    fn what_an_upstream_provider_says_is_passed_on() {
        let vouched = |mfa| {
            let amr = vec!["pwd".to_owned(), "otp".to_owned()];
            FactKind::Upstream(Vouched { upstream: UpstreamId::new("north"), mfa, amr })
        };
        let mut facts = Facts::default();
        facts.add(&anna(), FactKind::Password, at(5));
        facts.add(&anna(), vouched(false), at(10));
        let context = facts.context(FactorStrength::Mail).unwrap();
        assert_eq!((context.acr, context.auth_time), (Acr::OneFactor, at(10)));
        assert_eq!((context.amr.join(" "), facts.second_factor()), ("pwd otp".to_owned(), None));
        facts.add(&anna(), vouched(true), at(20));
        let context = facts.context(FactorStrength::Mail).unwrap();
        assert_eq!((context.acr, context.auth_time), (Acr::TwoFactors, at(20)));
        assert_eq!(
            facts.second_factor(),
            Some(ProvedSecondFactor { at: at(20), worth: FactorStrength::Device })
        );
        assert_eq!(facts.session_facts(), facts);
    }

    #[test]
    fn a_first_factor_counts_where_its_user_signs_in() {
        let (north, south) = (UpstreamId::new("north"), UpstreamId::new("south"));
        let vouched = Vouched { upstream: north.clone(), mfa: true, amr: Vec::new() };
        let (mut here, mut there) = (Facts::default(), Facts::default());
        here.add(&anna(), FactKind::Password, at(1));
        here.add(&anna(), otp("a"), at(1));
        there.add(&anna(), FactKind::Upstream(vouched), at(1));
        assert_eq!(
            (here.for_upstream(None), there.for_upstream(Some(&north))),
            (here.clone(), there.clone())
        );
        assert!(here.for_upstream(Some(&north)).is_empty());
        assert!(there.for_upstream(None).is_empty() && there.for_upstream(Some(&south)).is_empty());
    }

    #[test]
    fn a_passkey_alone_is_two_factors_as_long_as_its_user_holds_it() {
        let mut facts = Facts::default();
        facts.add(&anna(), FactKind::Password, at(5));
        facts.add(
            &anna(),
            FactKind::PasskeySignIn { id: AuthenticatorId::new("a"), custody: KeyStorage::Synchronised },
            at(10),
        );
        let context = facts.context(FactorStrength::Sms).unwrap();
        assert_eq!((context.acr, context.auth_time), (Acr::PhishingResistant, at(10)));
        assert_eq!(context.amr.join(" "), "swk user mfa", "the password is not relied on");
        assert!(!facts.has_password());
        facts.add(&anna(), otp("b"), at(20));
        assert_eq!(facts.second_factor().unwrap().worth, FactorStrength::PhishingResistant, "no step down");
        assert_eq!(facts.for_authenticators(&[]).context(FactorStrength::Sms), None);
    }

    #[test]
    fn a_recovery_code_and_a_new_authenticator_displace_each_other() {
        let mut facts = Facts::default();
        facts.add(&anna(), otp("old"), at(5));
        facts.add(&anna(), FactKind::RecoveryCode, at(5));
        assert!(facts.is_recovering());
        facts.add(&anna(), otp("new"), at(5));
        assert!(!facts.is_recovering());
        assert_eq!(facts.list().len(), 1);
    }

    #[test]
    fn union_takes_the_newer_answer() {
        let (mut session, mut login) = (Facts::default(), Facts::default());
        session.add(&anna(), FactKind::Password, at(10));
        session.add(&anna(), otp("a"), at(10));
        login.add(&anna(), FactKind::RecoveryCode, at(10));
        login.add(&anna(), FactKind::Password, at(9));
        let all = session.union(&login);
        assert_eq!(all.first_factor(), Some(at(10)));
        assert!(all.is_recovering(), "of two in one second the one of the login in progress");
    }

    #[test]
    fn facts_of_two_users_are_never_joined() {
        let bert = UserId::new("bert");
        let (mut ours, mut theirs) = (Facts::default(), Facts::default());
        ours.add(&anna(), FactKind::Password, at(10));
        theirs.add(&bert, FactKind::RecoveryCode, at(20));
        assert_eq!(ours.union(&theirs), ours);
        assert_eq!(theirs.union(&ours), theirs);
        assert_eq!(Facts::default().union(&ours), ours, "nobody's facts are none");
        assert_eq!(theirs.for_user(&anna()), Facts::of(anna()));
        ours.add(&bert, FactKind::RecoveryCode, at(30));
        assert_eq!((ours.user(), ours.first_factor()), (Some(&bert), None));
    }

    #[test]
    fn a_session_keeps_no_answers_and_no_revoked_authenticator() {
        let mut facts = Facts::default();
        facts.add(&anna(), FactKind::Password, at(1));
        facts.add(&anna(), otp("a"), at(1));
        facts.add(&anna(), FactKind::Consent(Scope::parse("openid")), at(1));
        facts.add(&anna(), FactKind::AccountChosen(UserId::new("anna")), at(1));
        let kept = facts.session_facts();
        assert_eq!(kept.consent(), None);
        assert_eq!(kept.account(), None);
        let held = |id| [Held { id: AuthenticatorId::new(id), worth: FactorStrength::Device, usable: true }];
        assert!(kept.for_authenticators(&held("a")).second_factor().is_some());
        assert_eq!(kept.for_authenticators(&held("b")).second_factor(), None);
        assert_eq!(kept.for_authenticators(&[]).context(FactorStrength::Sms).unwrap().acr, Acr::OneFactor);
    }
}
