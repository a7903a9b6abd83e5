//! Inviting a user to link an account with an upstream provider.

use crate::account::linking::{Invitation, InviteError};
use crate::provider::Idp;

impl Idp {
    /// Makes a code for the user of this name in the tenant of this domain. Whoever signs in at the provider within a day
    /// and types it is linked with the account, which can be entered only there from then on; until then nothing changes.
    /// An older invitation of the same user is void.
    ///
    /// The provider need only be named where the tenant has several and the account is meant for none of them.
    pub async fn invite(
        &self,
        tenant: &str,
        username: &str,
        upstream: Option<&str>,
    ) -> Result<Invitation, InviteError> {
        self.account().invite(tenant, username, upstream).await
    }
}
