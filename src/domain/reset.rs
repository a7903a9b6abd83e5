//! The way back in by a link: a machine of its own, apart from any login, which may end in another browser than it began.
//!
//! The link in the mail is used up by the first new password that comes with it; whoever brought that one goes on with a
//! *ticket*, a secret that no mail has ever held. So a link that is read again, from a mailbox or a history, opens
//! nothing, and neither does it show what comes after it: the code of the second factor, or a new authenticator's secret.
//!
//! Nothing here signs anybody in. Who has chosen a password goes to the login and uses it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::contact::EmailAddress;
use super::credential_change::RECENT;
use super::epoch::Epoch;
use super::ids::{AuthenticatorId, ClientId, Hash, InteractionId, IssuerId, UserId};
use super::interaction::{CodeDelivery, Enrolment};
use super::passkey::Ceremony;
use super::time::Time;

/// How long a link in a mail may be used (SEED1-8).
pub const LINK: Duration = Duration::from_mins(30);
/// How long whoever has used it may take for the rest.
pub const REST: Duration = Duration::from_mins(15);

/// How long a link that is shown at the server's console may be used.
pub const CONSOLE: Duration = Duration::from_mins(10);

/// One link, and how far whoever used it has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reset {
    /// The hash of the secret in the link.
    pub link: Hash,
    /// The hash of the secret that goes on in its place; `None`: the link was not used yet.
    pub ticket: Option<Hash>,
    /// The issuer at which it was asked for, and below which its pages lie.
    pub issuer: IssuerId,
    /// Whose password it is about.
    pub user: UserId,
    /// How it came about.
    pub purpose: Purpose,
    /// Of user and tenant.
    pub epoch: Epoch,
    /// What happened since.
    pub progress: Progress,
    /// From when on it is void.
    pub expires_at: Time,
    /// Raised by every write.
    pub version: i64,
}

/// How a link came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Somebody said that the password is forgotten, or an administrator had the mail sent.
    Forgotten,
    /// An administrator who is blocked without a second factor asked for it.
    Activation,
    /// An operator had it shown at the server's console, for somebody who has lost everything. It waives the second
    /// factor, and revokes it.
    Console,
}

/// Why a new authenticator is enrolled after the new password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Enrols {
    /// An administrator must have one.
    Duty,
    /// A recovery code said that the old one is lost.
    Replacement,
}

/// What happened since the link was made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Progress {
    /// Where the link was sent: it is void once the user has another address.
    pub sent_to: Option<EmailAddress>,
    /// The login that waits.
    pub login: Option<InteractionId>,
    /// The application that it is for.
    pub client: Option<ClientId>,
    /// The hash of the new password, while it waits for the second factor.
    pub password: Option<String>,
    /// Is the password changed?
    pub changed: bool,
    /// When it was changed. The second factor, where there is one, was proved in the same moment.
    pub changed_at: Option<Time>,
    /// Wrong codes so far.
    pub wrong_codes: u32,
    /// The code of the second factor that was sent last, or was to be.
    pub dispatch: Option<CodeDelivery>,
    /// What the browser was asked for with a passkey and has not answered.
    pub ceremony: Option<Ceremony>,
    /// Must a new authenticator be enrolled before this is done?
    pub enrols: Option<Enrols>,
    /// What the user held when that was decided; whoever holds something else by now enrols nothing here.
    pub replaces: Vec<AuthenticatorId>,
    /// The enrolment that waits for its first code.
    pub enrolment: Option<Enrolment>,
    /// Recovery codes under the master key, until the user says that they are stored.
    pub recovery_codes: Option<String>,
}

/// What whoever holds the link or the ticket is asked next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// A new password.
    Password,
    /// The second factor: the mailbox alone is not enough (attack 153).
    SecondFactor,
    /// The first code of a new authenticator.
    Enrolment,
    /// To store the recovery codes.
    RecoveryCodes,
    /// Nothing.
    Done,
}

impl Reset {
    /// What codes that are sent on this way are bound to, as those of a login are to theirs.
    pub fn place(&self) -> InteractionId {
        InteractionId::new(self.link.as_str())
    }

    /// Do the new password and the second factor still count for an enrolment? They are proved like those of a login.
    pub fn may_enrol(&self, now: Time) -> bool {
        self.progress.changed_at.is_some_and(|at| now.minus(RECENT) <= at && !at.is_ahead_of(now))
    }

    /// What comes next.
    pub const fn stage(&self) -> Stage {
        let Progress { changed, enrols, recovery_codes, .. } = &self.progress;
        match (&self.ticket, changed) {
            (None, _) => Stage::Password,
            (Some(_), false) => Stage::SecondFactor,
            (Some(_), true) if enrols.is_some() => Stage::Enrolment,
            (Some(_), true) if recovery_codes.is_some() => Stage::RecoveryCodes,
            (Some(_), true) => Stage::Done,
        }
    }
}
