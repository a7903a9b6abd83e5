//! What a user held when an enrolment began. Of two enrolments of one user at once one wins, for the other finds that the
//! user holds something else by now. After a recovery code whatever could be used here is taken for lost, and goes.

use crate::domain::authenticator::Authenticator;
use crate::domain::ids::{AuthenticatorId, UserId};
use crate::domain::passkey::{Passkey, RpId};
use crate::storage::{Result, Tx, authenticators, passkeys, users};

/// What a user held.
#[derive(Clone, Debug)]
pub(crate) struct AuthenticatorSnapshot {
    /// All of it, as [`ids`] has it.
    pub(crate) ids: Vec<AuthenticatorId>,
    /// Was a recovery code used? Then the passkeys of this relying party are lost, and the authenticator is too.
    pub(crate) lost: Option<RpId>,
}

impl AuthenticatorSnapshot {
    /// Is it still so? Whoever asks goes before or after anybody else who enrols something for the same user.
    pub(super) async fn are_still(&self, tx: &mut Tx<'_>, user: &UserId) -> Result<bool> {
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
