//! What can happen to a user's credentials, whoever asks: the hosted login now, other rooms later.
//!
//! Everything has two halves. The first is asked of [`Account`]: it reads, computes and hashes, and changes nothing of
//! weight. The second is the value it returns, whose `settle` runs in the *caller's* write: there a conditional
//! statement decides who wins, in one transaction with whatever the caller builds on it.

pub(crate) mod attempts;
pub(crate) mod authenticator_snapshot;
pub(crate) mod delivery;
pub(crate) mod directory;
pub(crate) mod ending;
pub(crate) mod enrolments;
pub(crate) mod factors;
pub(crate) mod linking;
pub(crate) mod new_password;
mod notices;
pub(crate) mod passkeys;
pub(crate) mod passwords;
pub(crate) mod recovery;
pub(crate) mod reset_requests;
pub(crate) mod resets;
pub(crate) mod sessions;
pub(crate) mod sign_in_history;
pub(crate) mod trusted_browsers;

use self::delivery::Channels;
use self::directory::Host;
use crate::crypto::password::{Busy, PasswordHasher};
use crate::crypto::seal::{SealError, Sealer};
use crate::crypto::webauthn;
use crate::domain::time::Time;
use crate::ext::{Clock, Unavailable};
use crate::storage::{self, Catalogue, Db};

/// The credentials of the house.
#[derive(Clone, Copy)]
pub(crate) struct Account<'a> {
    db: &'a Db,
    catalogue: &'a Catalogue,
    sealer: &'a Sealer,
    hasher: &'a PasswordHasher,
    clock: &'a dyn Clock,
    host: Option<Host<'a>>,
    ways: Channels<'a>,
}

impl<'a> Account<'a> {
    pub(crate) const fn new(
        db: &'a Db,
        catalogue: &'a Catalogue,
        sealer: &'a Sealer,
        hasher: &'a PasswordHasher,
        clock: &'a dyn Clock,
        host: Option<Host<'a>>,
        ways: Channels<'a>,
    ) -> Self {
        Self { db, catalogue, sealer, hasher, clock, host, ways }
    }

    fn now(&self) -> Time {
        self.clock.now()
    }
}

/// Why nothing could be said.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] storage::Error),
    /// Too many passwords are being checked.
    #[error(transparent)]
    Busy(#[from] Busy),
    /// The host's directory did not answer.
    #[error(transparent)]
    Directory(#[from] Unavailable),
    /// What was sealed cannot be opened.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// No passkey can be asked for.
    #[error(transparent)]
    Passkey(#[from] webauthn::Unable),
}

impl From<Error> for storage::Error {
    /// For what is made inside a write because only there it is known to be needed.
    fn from(error: Error) -> Self {
        match error {
            Error::Store(error) => error,
            other => Self::encoding(other),
        }
    }
}
