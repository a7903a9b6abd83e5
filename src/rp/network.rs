//! A relying party in another process, as the demo's application is one.

use std::sync::Arc;

use url::{Position, Url};

use super::{Handle, RpError};
use crate::crypto::seal::Sealer;
use crate::domain::outbound::{AllowedHost, Outbound as OutboundSettings};
use crate::ext::Clock;
use crate::oidc_client::HttpClient;
use crate::outbound::Outbound;
use crate::storage::Db;

impl Handle {
    /// For a relying party that calls the provider over the network; the host of the issuer may be an inner one.
    pub(crate) fn over_network(
        db: Db,
        sealer: Arc<Sealer>,
        clock: Arc<dyn Clock>,
        issuer: &str,
    ) -> Result<Self, RpError> {
        let url = Url::parse(issuer).map_err(RpError::setup)?;
        let host = AllowedHost::parse(&url[Position::BeforeHost..Position::AfterPort]);
        let allow = vec![host.map_err(RpError::setup)?];
        let outbound = Outbound::new(&OutboundSettings { ca: Vec::new(), allow });
        Ok(Self { db, sealer, clock, http: HttpClient::Network(outbound.map_err(RpError::setup)?) })
    }
}
