//! What management needs of the running provider.

use crate::account::Account;
use crate::crypto::password::PasswordHasher;
use crate::crypto::seal::Sealer;
use crate::domain::issuer::IssuerUrl;
use crate::domain::time::Time;
use crate::ext::{Clock, OwnClaims};
use crate::outbound::Outbound;
use crate::storage::{Catalogue, Db};

/// Validates and changes what the provider holds. Borrowed from the running provider.
#[derive(Clone, Copy)]
pub(crate) struct Management<'a> {
    /// The store.
    pub(crate) db: &'a Db,
    /// Tenants and upstream providers, cached.
    pub(crate) catalogue: &'a Catalogue,
    /// What can happen to users' credentials.
    pub(crate) account: Account<'a>,
    /// The root issuer.
    pub(crate) issuer: &'a IssuerUrl,
    /// The claims and scopes that the host declared.
    pub(crate) own_claims: &'a [OwnClaims],
    /// Seals secrets that must be read again.
    pub(crate) sealer: &'a Sealer,
    /// Hashes passwords and PINs.
    pub(crate) hasher: &'a PasswordHasher,
    /// Fetches the lists of sectors.
    pub(crate) outbound: &'a Outbound,
    /// The time.
    pub(crate) clock: &'a dyn Clock,
}

impl Management<'_> {
    pub(super) fn now(&self) -> Time {
        self.clock.now()
    }
}
