//! Snapshot of a user's authenticators, an optimistic lock for enrolment: of two concurrent enrolments of one user one
//! wins. After a recovery code the authenticators that could be used here count as lost and are removed.

use crate::domain::authenticator::Authenticator;
use crate::domain::ids::{AuthenticatorId, UserId};
use crate::domain::passkey::{Passkey, RpId};
use crate::storage::{Result, Tx, authenticators, passkeys, users};

/// Snapshot of a user's authenticators.
#[derive(Clone, Debug)]
pub(crate) struct AuthenticatorSnapshot {
    /// All of it, as [`ids`] has it.
    pub(crate) ids: Vec<AuthenticatorId>,
    /// The relying party whose passkeys are lost, with the authenticator, if a recovery code was used.
    pub(crate) lost: Option<RpId>,
}

impl AuthenticatorSnapshot {
    /// Whether the snapshot is still current. Locks the user's row, so that concurrent enrolments are serialised.
    pub(super) async fn is_current(&self, tx: &mut Tx<'_>, user: &UserId) -> Result<bool> {
        users::hold(tx, user).await?;
        let active = authenticators::active(tx, user).await?.map(|stored| stored.authenticator);
        let passkeys = passkeys::of_user(tx, user).await?;
        Ok(ids(active.as_ref(), &passkeys) == self.ids)
    }
}

/// The ids of what is held: the active authenticator, then the passkeys in the store's order.
pub(crate) fn ids(authenticator: Option<&Authenticator>, passkeys: &[Passkey]) -> Vec<AuthenticatorId> {
    let passkeys = passkeys.iter().map(|passkey| &passkey.id);
    authenticator.iter().map(|held| &held.id).chain(passkeys).cloned().collect()
}
