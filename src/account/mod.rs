//! Everything that can happen to a user's credentials, for every caller: the hosted login, resets, the account API.
//!
//! Everything has two halves. The first is asked of [`Account`]: it reads, computes and hashes, and changes nothing of
//! weight. The second is the value it returns, whose verb (`consume`, `activate`, `enqueue`, `apply`) runs in the
//! *caller's* write: there a conditional statement decides who wins, in one transaction with whatever the caller builds on it.

pub(crate) mod attempts;
pub(crate) mod authenticator_snapshot;
pub(crate) mod ceremony;
pub(crate) mod channels;
pub(crate) mod delivery;
pub(crate) mod directory;
pub(crate) mod ending;
pub(crate) mod enrolments;
mod error;
pub(crate) mod factors;
pub(crate) mod host;
pub(crate) mod linking;
pub(crate) mod new_password;
mod notices;
pub(crate) mod participant;
pub(crate) mod passkeys;
pub(crate) mod passwords;
pub(crate) mod recovery;
pub(crate) mod reset_requests;
pub(crate) mod resets;
pub(crate) mod sessions;
pub(crate) mod sign_in_history;
pub(crate) mod trusted_browsers;

use self::channels::Channels;
pub(crate) use self::error::Error;
use self::host::Host;
use crate::crypto::password::PasswordHasher;
use crate::crypto::seal::Sealer;
use crate::domain::time::Time;
use crate::ext::Clock;
use crate::storage::{Catalogue, Db};

/// The handle to users' credentials.
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
