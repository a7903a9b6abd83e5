//! The upstream providers of a login: which are offered, which is the user's own, and when a factor was proved there.

use std::sync::Arc;

use super::Login;
use crate::domain::ids::UserId;
use crate::domain::time::Time;
use crate::domain::upstream::Upstream;
use crate::provider::Internal;
use crate::storage::upstreams::StoredUpstream;

impl Login {
    /// The providers at which users may sign in instead of here.
    pub(in crate::interaction) async fn upstreams(&self) -> Result<Arc<Vec<StoredUpstream>>, Internal> {
        let tenant = self.page_request.tenant.as_ref().map(|tenant| &tenant.id);
        Ok(self.idp().catalogue().upstreams(tenant).await?)
    }

    /// Whether this user may sign in there. At the root issuer the providers of all resellers are offered, and a tenant's users
    /// sign in at its own and its reseller's only.
    pub(in crate::interaction) async fn may_sign_in_at(&self, upstream: &Upstream) -> Result<bool, Internal> {
        let Some(login_user) = &self.user else { return Ok(false) };
        let offered = self.idp().catalogue().upstreams(Some(&login_user.tenant.id)).await?;
        Ok(offered.iter().any(|stored| stored.upstream.id == upstream.id))
    }

    /// The link that leads to an upstream provider.
    pub(in crate::interaction) fn way_to(&self, upstream: &Upstream) -> String {
        self.address(&format!("with/{}", upstream.name))
    }

    /// The provider at which the user of a linked account signs in, if it is offered here.
    pub(in crate::interaction) async fn own_upstream(&self) -> Result<Option<Upstream>, Internal> {
        let account = self.user.as_ref().and_then(|login_user| login_user.user.upstream.as_ref());
        let Some(account) = account else { return Ok(None) };
        let offered = self.upstreams().await?;
        let own = offered.iter().find(|stored| stored.upstream.id == account.upstream);
        Ok(own.map(|stored| stored.upstream.clone()))
    }

    /// The time of factors that were proved upstream at this time. Where all must be proved again, the rule of factors
    /// proved here holds: strictly after what the session knows.
    pub(in crate::interaction) fn moment(&self, user: &UserId, at: Time) -> Time {
        if self.request().is_fresh() { self.proof_time(user).max(at) } else { at }
    }
}
