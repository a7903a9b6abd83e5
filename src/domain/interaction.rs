//! A login in progress: one row per authorization request, so that two tabs never share a state.
//!
//! What was asked never changes; what the user has done since is [`Progress`], written whole under a version number,
//! so that of two posts at once only one can have been made from the current page.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::authenticator::{Authenticator, Method};
use super::epoch::Epoch;
use super::fact::{FactKind, Facts};
use super::ids::{AuthenticatorId, GrantId, Hash, InteractionId, IssuerId, MessageId, Reference, UserId};
use super::is_default;
use super::passkey::{Ceremony, Purpose};
use super::password::PasswordFault;
use super::request::AuthorizationRequest;
use super::time::Time;
use super::upstream::Vouched;

/// One login, from the authorization request to its answer. Whoever removes the row, and nobody else, may answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interaction {
    /// Its row; stands in the page addresses.
    pub id: InteractionId,
    /// The issuer asked.
    pub issuer: IssuerId,
    /// The id of the grant that it leads to. The log knows the login by it from the first request on, for it opens
    /// nothing, unlike the id in the page addresses.
    pub grant: GrantId,
    /// What the client asked for.
    pub request: AuthorizationRequest,
    /// The browser it belongs to, by the hash of its cookie. `None` until the first page is opened, where the request
    /// came without cookies: another site's form posts none that are `SameSite=Lax`.
    #[serde(skip)]
    pub browser: Option<Hash>,
    /// The network that asked, by a keyed hash: while the login waits for its first factor it counts there.
    #[serde(skip)]
    pub network: Option<Hash>,
    /// Does the browser carry the request? Then the row knows issuer and client alone.
    #[serde(default, skip_serializing_if = "is_default")]
    pub carried: bool,
    /// What happened since.
    #[serde(default, skip_serializing_if = "is_default")]
    pub progress: Progress,
    /// Of the client and its tenant, when the request arrived.
    #[serde(default)]
    pub epoch: Epoch,
    /// When the request arrived.
    pub requested_at: Time,
    /// When it is over in any case.
    pub expires_at: Time,
    /// Raised by every write.
    #[serde(skip)]
    pub version: i64,
}

impl Interaction {
    /// As it is stored: without the request, where the browser carries it.
    #[must_use]
    pub fn abridged(&self) -> Self {
        let request = AuthorizationRequest::blank(self.request.issuer.clone(), self.request.client.clone());
        Self { request, ..self.clone() }
    }
}

/// What the user has done since the request arrived.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Progress {
    /// What was proved and answered here; what the session knows is not repeated. The user of these facts is the user of
    /// the whole login: everything below is theirs.
    #[serde(flatten)]
    pub facts: Facts,
    /// Of that user and the tenant: in another epoch nothing of this counts.
    pub epoch: Option<Epoch>,
    /// This login stands on its own: what the browser's session knows does not count.
    pub alone: bool,
    /// Wrong codes since the password was proved: after a few the login starts again.
    pub wrong_codes: u32,
    /// The way to enrol that was chosen.
    pub method: Option<Method>,
    /// The enrolment that waits for its first code.
    pub enrolment: Option<Enrolment>,
    /// The code that was sent last, or was to be.
    pub dispatch: Option<CodeDelivery>,
    /// What the browser was asked for with a passkey and has not answered.
    pub ceremony: Option<Ceremony>,
    /// Recovery codes under the master key, until the user says that they are stored.
    pub recovery_codes: Option<String>,
    /// Does the user want to resynchronise the device before a code of it is taken?
    pub resync: bool,
    /// Is a mail on its way that leads to a second factor?
    pub mailed: bool,
    /// What the last post was answered, for the page that follows it.
    pub refusal: Option<Refusal>,
    /// What was typed last ([`FormInput`]) under the master key: users type passwords into the wrong field.
    pub form_input: Option<String>,
    /// Somebody whom an upstream provider vouched for, and who is nobody here yet.
    pub stranger: Option<UnlinkedUpstreamUser>,
}

/// Somebody who is signed in upstream and linked with no account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnlinkedUpstreamUser {
    /// The issuer that the provider had then.
    #[serde(default)]
    pub issuer: String,
    /// Who that is there.
    pub subject: String,
    /// What was vouched for.
    pub vouched: Vouched,
    /// When the factors were proved there.
    pub at: Time,
}

/// An authenticator whose secret was shown and whose first code is awaited.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enrolment {
    /// The pending authenticator.
    pub authenticator: AuthenticatorId,
    /// What it is.
    #[serde(default = "application")]
    pub method: Method,
    /// When its secret was made.
    pub started_at: Time,
    /// Wrong codes so far.
    pub wrong_codes: u32,
}

impl Enrolment {
    /// Wrong codes that void it.
    const CODES: u32 = 10;
    /// How long it waits for its first code.
    const PATIENCE: Duration = Duration::from_mins(15);

    /// That of a pending authenticator, begun now.
    pub fn begin(authenticator: &Authenticator, now: Time) -> Self {
        Self {
            authenticator: authenticator.id.clone(),
            method: authenticator.kind.method(),
            started_at: now,
            wrong_codes: 0,
        }
    }

    /// Whether it still waits for its first code.
    pub fn waits(&self, now: Time) -> bool {
        self.started_at.is_recent(now, Self::PATIENCE)
    }

    /// Counts a wrong code; `false`: that was one too many, and it is void.
    pub const fn survives_wrong_code(&mut self) -> bool {
        self.wrong_codes = self.wrong_codes.saturating_add(1);
        self.wrong_codes < Self::CODES
    }
}

/// Logins that were begun under the first schema knew no other.
const fn application() -> Method {
    Method::Totp
}

/// What became of the last wish for a code by SMS or mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeDelivery {
    /// Where the code was to go.
    pub authenticator: AuthenticatorId,
    /// Whether it went.
    pub outcome: Dispatched,
    /// When another can be asked for.
    pub again_at: Time,
}

/// Whether a code went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dispatched {
    /// Yes, as this message.
    Sent(MessageId),
    /// No: too many were asked for.
    Held,
    /// No: there is no way there.
    Impossible,
}

/// Why the last post did not lead on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The name of the step that was posted.
    pub step: String,
    /// What was wrong.
    pub problem: Problem,
    /// What the user may quote; form mistakes have none.
    pub reference: Option<Reference>,
}

/// What was typed last into the fields for names and addresses, so that it need not be typed again. What is typed into a
/// field for a password or a code is never kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormInput {
    /// The tenant domain.
    pub tenant: String,
    /// The user name.
    pub username: String,
    /// The name of the office computer.
    #[serde(default)]
    pub desktop: Option<String>,
    /// The country of the telephone number, by its two letters.
    #[serde(default)]
    pub country: Option<String>,
    /// The telephone number.
    #[serde(default)]
    pub phone_number: Option<String>,
    /// The email address.
    #[serde(default)]
    pub email: Option<String>,
}

/// What was wrong with a post.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Problem {
    /// These fields were left empty.
    Missing(Vec<String>),
    /// This field does not hold what it is for.
    Invalid(String),
    /// The sign-in data is wrong; which part is not said.
    SignInFailed,
    /// Too many failures; nothing is checked before this time.
    Locked(Time),
    /// The code was not accepted.
    WrongCode,
    /// Two codes did not find the device again.
    WrongCodes,
    /// There is no code that could be right: it expired, was tried too often, or none was sent.
    CodeExpired,
    /// A passkey was not accepted.
    WrongPasskey,
    /// The browser has not asked its user for a passkey.
    NoPasskey,
    /// This passkey signs nobody in here; why is not said.
    PasskeySignInFailed,
    /// A recovery code was not accepted.
    WrongRecoveryCode,
    /// Too many wrong codes: the login began again.
    StartedAgain,
    /// It will not do as a new password.
    NewPassword(PasswordFault),
    /// Too many wrong codes, or too late: the secret shown is void and another one is shown.
    EnrolmentVoid,
    /// Too many wrong codes, or too late: the number or address must be given again.
    DestinationVoid,
    /// The upstream provider does not answer.
    UpstreamUnavailable,
    /// The upstream provider says no, or the user did there.
    UpstreamRefused,
    /// The upstream provider's answer is not one that counts.
    UpstreamUnproved,
    /// Whoever is signed in upstream is linked with no account here.
    NotLinked,
    /// Nobody is invited with this code.
    WrongInvitation,
}

impl Progress {
    /// Notes that the user's password is right.
    pub fn password_proved(&mut self, user: &UserId, epoch: Epoch, at: Time) {
        self.first_factor_proved(user, epoch, FactKind::Password, at);
    }

    /// Notes a first factor of the user, whose epoch was read before the factor was checked.
    pub fn first_factor_proved(&mut self, user: &UserId, epoch: Epoch, kind: FactKind, at: Time) {
        self.learn(user, epoch, kind, at);
        self.wrong_codes = 0;
        self.form_input = None;
        self.stranger = None;
    }

    /// Notes a fact of this user; the last refusal has been answered.
    pub fn learn(&mut self, user: &UserId, epoch: Epoch, kind: FactKind, at: Time) {
        self.belong_to(user, epoch);
        self.refusal = None;
        self.facts.add(user, kind, at);
    }

    /// Was the user's first factor proved in this login? Otherwise the user is the one of the browser's session.
    pub fn has_first_factor(&self) -> bool {
        self.facts.first_factor().is_some()
    }

    /// Makes this the login of this user in this epoch: nothing that another user proved, chose or was shown here remains,
    /// nor anything of before an ending. Returns whether there was something to drop.
    pub fn belong_to(&mut self, user: &UserId, epoch: Epoch) -> bool {
        let others = self.facts.user().is_some_and(|owner| owner != user || self.epoch != Some(epoch));
        if others {
            *self = Self { alone: self.alone, ..Self::default() };
        }
        if self.facts.user().is_none() {
            self.facts = Facts::of(user.clone());
        }
        self.epoch = Some(epoch);
        others
    }

    /// Drops what was done in a browser session that is over: without it, only a first factor proved here tells the user.
    /// Returns whether there was such a session.
    pub fn leave_session(&mut self) -> bool {
        let over = self.facts.user().is_some() && !self.has_first_factor();
        if over {
            *self = Self { alone: self.alone, ..Self::default() };
        }
        over
    }

    /// What the browser was asked for this purpose.
    pub fn asked(&self, purpose: Purpose) -> Option<&Ceremony> {
        self.ceremony.as_ref().filter(|ceremony| ceremony.purpose == purpose)
    }

    /// What the browser was asked for this purpose; it can be answered once.
    pub fn take_asked(&mut self, purpose: Purpose) -> Option<Ceremony> {
        self.ceremony.take_if(|ceremony| ceremony.purpose == purpose)
    }

    /// Was the last post not looked at, after too many failures?
    pub fn is_locked(&self) -> bool {
        self.refusal.as_ref().is_some_and(|refusal| matches!(refusal.problem, Problem::Locked(_)))
    }

    /// Begins again: nothing proved so far counts any more, here or in the session.
    pub fn start_again(&mut self) {
        *self = Self { alone: true, ..Self::default() };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EPOCH: Epoch = Epoch::FIRST;

    #[test]
    fn facts_never_pass_from_one_user_to_another() {
        let (anna, bert) = (UserId::new("anna"), UserId::new("bert"));
        let mut progress = Progress::default();
        progress.password_proved(&anna, EPOCH, Time::from_unix(1));
        progress.learn(&anna, EPOCH, FactKind::Otp(AuthenticatorId::new("a")), Time::from_unix(2));
        progress.recovery_codes = Some("sealed".into());
        progress.password_proved(&anna, EPOCH, Time::from_unix(3));
        assert!(progress.facts.second_factor().is_some(), "the same user keeps what was proved");
        progress.password_proved(&bert, EPOCH, Time::from_unix(4));
        assert_eq!(progress.facts.second_factor(), None);
        assert_eq!(progress.recovery_codes, None);
        assert_eq!(progress.facts.first_factor(), Some(Time::from_unix(4)));
    }

    #[test]
    fn a_login_whose_sessions_user_changes_begins_again() {
        let (anna, bert) = (UserId::new("anna"), UserId::new("bert"));
        let mut progress = Progress { alone: true, ..Progress::default() };
        progress.belong_to(&anna, EPOCH);
        progress.learn(&anna, EPOCH, FactKind::RecoveryCode, Time::from_unix(1));
        (progress.method, progress.recovery_codes) = (Some(Method::Totp), Some("sealed".into()));
        let before = progress.clone();
        assert!(!progress.belong_to(&anna, EPOCH));
        assert_eq!(progress, before);
        assert!(progress.belong_to(&bert, EPOCH));
        let fresh = Progress { epoch: Some(EPOCH), alone: true, ..Progress::default() };
        assert_eq!(progress, Progress { facts: Facts::of(bert), ..fresh });
        let mut progress = before.clone();
        assert!(progress.leave_session());
        assert_eq!(progress, Progress { alone: true, ..Progress::default() });
        let mut progress = before;
        progress.password_proved(&anna, EPOCH, Time::from_unix(2));
        assert!(progress.facts.is_recovering(), "the same user goes on");
        let proved = progress.clone();
        assert!(!progress.leave_session());
        assert_eq!(progress, proved, "the first factor was proved here");
    }

    /// Also of those that were proved in a session: what has ended since takes them along.
    #[test]
    fn facts_never_pass_from_one_epoch_to_another() {
        let anna = UserId::new("anna");
        for first in [FactKind::Password, FactKind::RecoveryCode] {
            let mut progress = Progress::default();
            progress.learn(&anna, EPOCH, first, Time::from_unix(1));
            progress.recovery_codes = Some("sealed".into());
            assert!(progress.belong_to(&anna, EPOCH.next()));
            let fresh = Progress { facts: Facts::of(anna.clone()), ..Progress::default() };
            assert_eq!(progress, Progress { epoch: Some(EPOCH.next()), ..fresh });
        }
    }

    /// Rows of an earlier release too, whose facts named no user when the session's user was meant: they are dropped.
    #[test]
    fn facts_are_stored_with_their_user() {
        let stored = r#"{"user":"anna","facts":[{"kind":"password","at":1}]}"#;
        let progress: Progress = serde_json::from_str(stored).unwrap();
        assert_eq!(progress.facts.user(), Some(&UserId::new("anna")));
        assert!(progress.has_first_factor());
        let json = serde_json::to_value(&progress).unwrap();
        assert_eq!((&json["user"], &json["facts"][0]["at"]), (&"anna".into(), &1.into()));
        let stored = r#"{"user":null,"facts":[{"kind":"recovery_code","at":1}]}"#;
        let mut progress: Progress = serde_json::from_str(stored).unwrap();
        progress.belong_to(&UserId::new("bert"), EPOCH);
        assert!(progress.facts.is_empty());
    }
}
