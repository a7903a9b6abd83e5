//! A login in progress: one row per authorization request, so that two tabs never share state.
//!
//! The request never changes; what the user has done since is [`Progress`], written as a whole with an optimistic lock,
//! so that of two concurrent posts only one is accepted.

use serde::{Deserialize, Serialize};

use super::authenticator::Method;
use super::ceremony::Ceremony;
use super::epoch::Epoch;
use super::fact::{FactKind, Facts};
use super::form::Problem;
use super::ids::{GrantId, Hash, InteractionId, IssuerId, Reference, UserId};
use super::is_default;
use super::request::AuthorizationRequest;
use super::time::Time;
use super::upstream::Vouched;

/// A login from the authorization request to its response. The request that deletes the row sends the response.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interaction {
    /// Its id; part of the page URLs.
    pub id: InteractionId,
    /// The issuer.
    pub issuer: IssuerId,
    /// The id of the grant that it leads to. The log identifies the login by it from the first request on, because it
    /// is not confidential, unlike the id in the page URLs.
    pub grant: GrantId,
    /// The authorization request.
    pub request: AuthorizationRequest,
    /// The hash of the cookie of its browser. `None` until the first page is opened, if the request came without
    /// cookies: another site's form does not send `SameSite=Lax` ones.
    #[serde(skip)]
    pub browser: Option<Hash>,
    /// The keyed hash of the client's network, for which the login counts while it waits for its first factor.
    #[serde(skip)]
    pub network: Option<Hash>,
    /// Whether the browser carries the request; then the row stores only issuer and client.
    #[serde(default, skip_serializing_if = "is_default")]
    pub carried: bool,
    /// The progress since the request.
    #[serde(default, skip_serializing_if = "is_default")]
    pub progress: Progress,
    /// The sum of the epochs of the client and its tenant at the request.
    #[serde(default)]
    pub epoch: Epoch,
    /// The arrival of the request.
    pub requested_at: Time,
    /// The time of expiry.
    pub expires_at: Time,
    /// Incremented by every write.
    #[serde(skip)]
    pub version: i64,
}

impl Interaction {
    /// The stored form: without the request if the browser carries it.
    #[must_use]
    pub fn abridged(&self) -> Self {
        let request = AuthorizationRequest::blank(self.request.issuer.clone(), self.request.client.clone());
        Self { request, ..self.clone() }
    }
}

/// What the user has done since the request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Progress {
    /// The facts of this login, without those of the session. Their user is the user of the whole login and
    /// owns everything below.
    #[serde(flatten)]
    pub facts: Facts,
    /// The sum of the epochs of that user and the tenant: after a change the progress is invalid.
    pub epoch: Option<Epoch>,
    /// Whether the facts of the browser's session are ignored.
    pub alone: bool,
    /// The chosen enrolment method.
    pub method: Option<Method>,
    /// The ceremony of this user's credentials.
    #[serde(flatten)]
    pub ceremony: Ceremony,
    /// Whether the user wants to resynchronise the device before a code is accepted.
    pub resync: bool,
    /// Whether a mail with an activation link was sent.
    pub mailed: bool,
    /// The refusal of the last post, for the next page.
    pub refusal: Option<Refusal>,
    /// The last input ([`FormInput`]), sealed because users type passwords into the wrong field.
    pub form_input: Option<String>,
    /// A user authenticated by an upstream provider who is not linked with an account.
    #[serde(rename = "stranger")]
    pub unlinked: Option<UnlinkedUpstreamUser>,
}

/// A user who is signed in upstream and not linked with an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnlinkedUpstreamUser {
    /// The provider's issuer at that time.
    #[serde(default)]
    pub issuer: String,
    /// The user's `sub` there.
    pub subject: String,
    /// The authentication by the provider.
    pub vouched: Vouched,
    /// The time of the authentication.
    pub at: Time,
}

/// The refusal of a post.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The name of the posted step.
    pub step: String,
    /// The cause. Rows of an earlier release have none here; their page shows no problem.
    #[serde(default)]
    pub cause: RefusalCause,
    /// The reference that the user can quote; input errors have none.
    pub reference: Option<Reference>,
}

/// The cause of a refusal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalCause {
    /// The form has these problems.
    Form(Vec<Problem>),
    /// Too many failures: nothing is checked before this time.
    Locked(Time),
    /// No account here is linked with the user who is signed in upstream; the page says so by itself.
    NotLinked,
}

impl Default for RefusalCause {
    fn default() -> Self {
        Self::Form(Vec::new())
    }
}

impl From<Problem> for RefusalCause {
    fn from(problem: Problem) -> Self {
        Self::Form(vec![problem])
    }
}

/// The last input of names and addresses, for prefilling the form. Passwords and codes are never stored.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormInput {
    /// The tenant domain.
    pub tenant: String,
    /// The user name.
    pub username: String,
    /// The name of the office computer.
    #[serde(default)]
    pub desktop: Option<String>,
    /// The two-letter country code of the telephone number.
    #[serde(default)]
    pub country: Option<String>,
    /// The telephone number.
    #[serde(default)]
    pub phone_number: Option<String>,
    /// The email address.
    #[serde(default)]
    pub email: Option<String>,
}

impl Progress {
    /// Adds the fact that the user's password was right.
    pub fn password_proved(&mut self, user: &UserId, epoch: Epoch, at: Time) {
        self.first_factor_proved(user, epoch, FactKind::Password, at);
    }

    /// Adds a first factor of the user, whose epoch was read before the factor was checked.
    pub fn first_factor_proved(&mut self, user: &UserId, epoch: Epoch, kind: FactKind, at: Time) {
        self.learn(user, epoch, kind, at);
        self.ceremony.wrong_codes = 0;
        self.form_input = None;
        self.unlinked = None;
    }

    /// Adds a fact of this user and clears the last refusal.
    pub fn learn(&mut self, user: &UserId, epoch: Epoch, kind: FactKind, at: Time) {
        self.belong_to(user, epoch);
        self.refusal = None;
        self.facts.add(user, kind, at);
    }

    /// Returns whether the first factor was proved in this login; otherwise the user comes from the browser's session.
    pub fn has_first_factor(&self) -> bool {
        self.facts.first_factor().is_some()
    }

    /// Assigns the login to this user in this epoch: everything that another user proved, chose or was shown is
    /// dropped, and everything from before a raised epoch. Returns whether something was dropped.
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

    /// Drops what was done in a browser session that has ended: without it, only a first factor proved here identifies
    /// the user. Returns whether there was such a session.
    pub fn leave_session(&mut self) -> bool {
        let over = self.facts.user().is_some() && !self.has_first_factor();
        if over {
            *self = Self { alone: self.alone, ..Self::default() };
        }
        over
    }

    /// Returns whether the last post was refused because of a lock.
    pub fn is_locked(&self) -> bool {
        self.refusal.as_ref().is_some_and(|refusal| matches!(refusal.cause, RefusalCause::Locked(_)))
    }

    /// Starts the login again: all facts so far are ignored, including those of the session. A code that was sent stays
    /// valid, as another may not be sent at once.
    pub fn start_again(&mut self) {
        let ceremony = Ceremony { id: self.ceremony.id.take(), ..Ceremony::default() };
        *self = Self { alone: true, ceremony, ..Self::default() };
    }
}

#[cfg(test)]
mod tests {
    use super::super::ids::AuthenticatorId;
    use super::*;

    const EPOCH: Epoch = Epoch::FIRST;

    #[test]
    fn facts_never_pass_from_one_user_to_another() {
        let (anna, bert) = (UserId::new("anna"), UserId::new("bert"));
        let mut progress = Progress::default();
        progress.password_proved(&anna, EPOCH, Time::from_unix(1));
        progress.learn(&anna, EPOCH, FactKind::Otp(AuthenticatorId::new("a")), Time::from_unix(2));
        progress.ceremony.recovery_codes = Some("sealed".into());
        progress.password_proved(&anna, EPOCH, Time::from_unix(3));
        assert!(progress.facts.second_factor().is_some(), "the same user keeps what was proved");
        progress.password_proved(&bert, EPOCH, Time::from_unix(4));
        assert_eq!(progress.facts.second_factor(), None);
        assert_eq!(progress.ceremony.recovery_codes, None);
        assert_eq!(progress.facts.first_factor(), Some(Time::from_unix(4)));
    }

    #[test]
    fn a_login_whose_sessions_user_changes_begins_again() {
        let (anna, bert) = (UserId::new("anna"), UserId::new("bert"));
        let mut progress = Progress { alone: true, ..Progress::default() };
        progress.belong_to(&anna, EPOCH);
        progress.learn(&anna, EPOCH, FactKind::RecoveryCode, Time::from_unix(1));
        (progress.method, progress.ceremony.recovery_codes) = (Some(Method::Totp), Some("sealed".into()));
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

    /// This includes facts of a session: those from before a raised epoch are dropped.
    #[test]
    fn facts_never_pass_from_one_epoch_to_another() {
        let anna = UserId::new("anna");
        for first in [FactKind::Password, FactKind::RecoveryCode] {
            let mut progress = Progress::default();
            progress.learn(&anna, EPOCH, first, Time::from_unix(1));
            progress.ceremony.recovery_codes = Some("sealed".into());
            assert!(progress.belong_to(&anna, EPOCH.next()));
            let fresh = Progress { facts: Facts::of(anna.clone()), ..Progress::default() };
            assert_eq!(progress, Progress { epoch: Some(EPOCH.next()), ..fresh });
        }
    }

    /// In rows of an earlier release, facts without a user belonged to the session's user: they are dropped.
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
