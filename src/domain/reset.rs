//! Password reset by a link: a process apart from any login, which may end in another browser than it began.
//!
//! The link in the mail is consumed by the first new password that is submitted with it, and replaced by a *ticket*, a
//! secret that was never in a mail. So a link that is read later, in a mailbox or a history, opens nothing, neither the
//! second factor's page nor a new authenticator's secret.
//!
//! A reset does not sign the user in: the user then signs in with the new password.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::ceremony::Ceremony;
use super::contact::EmailAddress;
use super::credential_change::RECENT;
use super::epoch::Epoch;
use super::ids::{AuthenticatorId, ClientId, Hash, InteractionId, IssuerId, UserId};
use super::time::Time;

/// Lifetime of a link in a mail.
pub const LINK: Duration = Duration::from_mins(30);
/// Lifetime of a ticket.
pub const REST: Duration = Duration::from_mins(15);

/// Lifetime of a link shown at the server's console.
pub const CONSOLE: Duration = Duration::from_mins(10);

/// A password reset and its progress.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reset {
    /// The hash of the secret in the link.
    pub link: Hash,
    /// The hash of the ticket; `None`: the link was not used yet.
    pub ticket: Option<Hash>,
    /// The issuer at which it was requested, and below which its pages are.
    pub issuer: IssuerId,
    /// The user whose password is reset.
    pub user: UserId,
    /// Its purpose.
    pub purpose: ResetPurpose,
    /// The sum of the epochs of user and tenant.
    pub epoch: Epoch,
    /// The progress since it was created.
    pub progress: ResetProgress,
    /// The time of expiry.
    pub expires_at: Time,
    /// Incremented by every write.
    pub version: i64,
}

/// The purpose of a reset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResetPurpose {
    /// The password was forgotten; requested by the user or an administrator.
    Forgotten,
    /// Activation of an administrator who must have a second factor.
    Activation,
    /// Emergency access, shown to an operator at the server's console for a user who has lost everything. It needs no
    /// second factor, and revokes it.
    Console,
}

/// The reason why a new authenticator is enrolled after the new password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Enrols {
    /// An administrator must have one.
    Duty,
    /// The old one was replaced by a recovery code.
    Replacement,
}

/// The progress of a reset.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ResetProgress {
    /// The address that the link was sent to: the link is void once the user has another address.
    pub sent_to: Option<EmailAddress>,
    /// The login to continue.
    pub login: Option<InteractionId>,
    /// The application that the login is for.
    pub client: Option<ClientId>,
    /// The hash of the new password, until the second factor is proved.
    pub password: Option<String>,
    /// Whether the password has been changed.
    pub changed: bool,
    /// The time of the change, at which the second factor was proved too, if there is one.
    pub changed_at: Option<Time>,
    /// The ceremony of the user's credentials.
    #[serde(flatten)]
    pub ceremony: Ceremony,
    /// The reason to enrol a new authenticator, if one is required.
    pub enrols: Option<Enrols>,
    /// Snapshot of the user's authenticators at that decision, an optimistic lock for the enrolment.
    pub replaces: Vec<AuthenticatorId>,
}

/// The next step of a reset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// A new password.
    Password,
    /// The second factor, because access to the mailbox alone is not enough.
    SecondFactor,
    /// The first code of a new authenticator.
    Enrolment,
    /// Storing the recovery codes.
    RecoveryCodes,
    /// No further step.
    Done,
}

impl Reset {
    /// Returns whether password and second factor were proved recently enough for an enrolment, as in a login.
    pub fn may_enrol(&self, now: Time) -> bool {
        self.progress.changed_at.is_some_and(|at| now.minus(RECENT) <= at && !at.is_ahead_of(now))
    }

    /// The next step.
    pub const fn stage(&self) -> Stage {
        let ResetProgress { changed, enrols, ceremony, .. } = &self.progress;
        match (&self.ticket, changed) {
            (None, _) => Stage::Password,
            (Some(_), false) => Stage::SecondFactor,
            (Some(_), true) if enrols.is_some() => Stage::Enrolment,
            (Some(_), true) if ceremony.recovery_codes.is_some() => Stage::RecoveryCodes,
            (Some(_), true) => Stage::Done,
        }
    }
}
