//! What the two kinds of OATH devices share: a secret, and a moving factor of which each value counts once.

use futures_util::future::BoxFuture;
use futures_util::{FutureExt, TryFutureExt};

use super::super::Account;
use super::factor::{Claim, Finding};
use crate::crypto::otp::OtpSecret;
use crate::crypto::seal::SealError;
use crate::domain::ids::AuthenticatorId;
use crate::domain::time::Time;
use crate::storage::authenticators::{self, StoredAuthenticator};
use crate::storage::{Result as Stores, Tx};

/// The time step or counter that a code belongs to, and how far the device is ahead by it.
#[derive(Clone, Debug)]
pub(super) struct MovingFactor {
    pub(super) authenticator: AuthenticatorId,
    pub(super) number: i64,
    pub(super) drift: i64,
}

impl Claim for MovingFactor {
    fn accept<'t>(&'t self, tx: &'t mut Tx<'_>, now: Time) -> BoxFuture<'t, Stores<Finding>> {
        let accepted = authenticators::accept(tx, &self.authenticator, self.number, self.drift, now);
        accepted.map_ok(Finding::of).boxed()
    }

    fn confirm<'t>(&'t self, tx: &'t mut Tx<'_>, now: Time) -> BoxFuture<'t, Stores<Finding>> {
        authenticators::confirm(tx, &self.authenticator, self.number, now).map_ok(Finding::of).boxed()
    }
}

impl Account<'_> {
    /// What a device and we share.
    pub(super) fn secret(&self, stored: &StoredAuthenticator) -> Result<OtpSecret, SealError> {
        let sealed = stored.sealed_secret.as_deref().ok_or(SealError::Malformed)?;
        let bytes = self.sealer.open(sealed, &stored.authenticator.row())?;
        // Only secrets of ours and checked imports are ever sealed for this row.
        OtpSecret::from_bytes(&bytes).map_err(|_| SealError::Malformed)
    }
}
