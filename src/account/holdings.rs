//! What a user held when an enrolment began. Of two enrolments of one user at once one wins, for the other finds that the
//! user holds something else by now. After a recovery code whatever could be used here is taken for lost, and goes.

use crate::domain::ids::{AuthenticatorId, UserId};
use crate::domain::passkey::RpId;
use crate::storage::{Result, Tx, authenticators, passkeys};

/// What a user held.
#[derive(Clone, Debug)]
pub(crate) struct Holdings {
    /// Who.
    pub(crate) user: UserId,
    /// The authenticator with codes.
    pub(crate) authenticator: Option<AuthenticatorId>,
    /// The passkeys.
    pub(crate) passkeys: Vec<AuthenticatorId>,
    /// Was a recovery code used? Then the passkeys of this relying party are lost, and the authenticator is too.
    pub(crate) lost: Option<RpId>,
}

impl Holdings {
    /// Is it still so? Whoever asks goes before or after anybody else who enrols something for the same user.
    pub(super) async fn are_still(&self, tx: &mut Tx<'_>) -> Result<bool> {
        let same = passkeys::are_still(tx, &self.user, &self.passkeys).await?;
        let active = authenticators::active(tx, &self.user).await?;
        Ok(same && active.map(|active| active.authenticator.id) == self.authenticator)
    }

    /// All of it: the authenticator, then the passkeys.
    pub(crate) fn ids(&self) -> Vec<AuthenticatorId> {
        self.authenticator.iter().chain(&self.passkeys).cloned().collect()
    }

    /// What a user holds in this very moment.
    pub(crate) async fn now(tx: &mut Tx<'_>, user: &UserId, lost: Option<RpId>) -> Result<Self> {
        let active = authenticators::active(tx, user).await?;
        let passkeys = passkeys::of_user(tx, user).await?;
        Ok(Self {
            user: user.clone(),
            authenticator: active.map(|active| active.authenticator.id),
            passkeys: passkeys.into_iter().map(|passkey| passkey.id).collect(),
            lost,
        })
    }
}
