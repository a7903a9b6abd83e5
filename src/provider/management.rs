//! Management as hosts call it on the running provider.

use super::failure::Internal;
use super::state::Idp;
use crate::management::{
    Invitation, InviteError, SupportAction, SupportError, SupportFailure, SupportOutcome,
};

impl Idp {
    /// Helps the user with this name.
    pub async fn help(
        &self,
        tenant: &str,
        username: &str,
        with: SupportAction,
    ) -> Result<SupportOutcome, SupportError> {
        match self.management().support(tenant, username, with).await {
            Ok(outcome) => Ok(outcome),
            Err(SupportFailure::Refused(error)) => Err(error),
            Err(SupportFailure::Failed(error)) => {
                Err(SupportError::Internal(Internal::from(error).reference().clone()))
            }
        }
    }

    /// Creates an invitation code for this user of the tenant. A person who signs in at the provider within a day and
    /// enters it is linked with the account, which can be entered only there from then on; until then nothing changes.
    /// An older invitation of the same user is void.
    ///
    /// The provider must be named only where the tenant has several and the account is prepared for none of them.
    pub async fn invite(
        &self,
        tenant: &str,
        username: &str,
        upstream: Option<&str>,
    ) -> Result<Invitation, InviteError> {
        self.management().invite(tenant, username, upstream).await
    }
}
