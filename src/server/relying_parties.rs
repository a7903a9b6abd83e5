//! What the provider's own relying parties are handed: their session rows, the sealer, the clock and the router.

use std::sync::Arc;

use axum::Router;

use crate::provider::Idp;
use crate::rp::Handle;

impl Idp {
    /// The handle for a relying party in this process. It reaches the provider through the router alone.
    #[doc(hidden)]
    pub fn relying_party_handle(&self) -> Handle {
        let parts = self.parts();
        let router = self.host_router();
        Handle::in_process(self.db().clone(), Arc::clone(&parts.sealer), Arc::clone(&parts.clock), router)
    }

    /// The provider's routes at the paths that its issuers have on their host.
    pub(super) fn host_router(&self) -> Router {
        let router = match self.settings().issuer.path() {
            "" => self.router(),
            path => Router::new().nest(path, self.router()),
        };
        router.merge(self.well_known())
    }
}
