//! What is known of upstream providers: their metadata and keys, fetched when they are needed and kept for a while.
//!
//! Bounded in number, in bytes and in age. Keys are fetched anew when a signature names one that is not known, at most
//! once a minute for each provider, whatever it signs with.

use std::sync::Arc;
use std::time::Duration;

use moka::future::Cache;
use openidconnect::core::{
    CoreAuthDisplay, CoreClaimName, CoreClaimType, CoreClient, CoreClientAuthMethod, CoreGrantType,
    CoreJsonWebKey, CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm, CoreResponseMode,
    CoreResponseType, CoreSubjectIdentifierType,
};
use openidconnect::{
    AdditionalProviderMetadata, EndpointMaybeSet, EndpointNotSet, EndpointSet, IssuerUrl, ProviderMetadata,
};
use serde::{Deserialize, Serialize};

use super::{Http, RelyingParty, UpstreamError};

/// How long metadata and keys count.
const FRESH: Duration = Duration::from_hours(1);
/// The time between two fetches for unknown keys.
const PAUSE: Duration = Duration::from_mins(1);
/// More providers than this still work, with a fetch each.
const PROVIDERS: u64 = 256;

/// A client of a provider whose metadata is known.
pub(super) type Client = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

type Provider = ProviderMetadata<
    Extra,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

/// Metadata and keys.
pub(crate) struct Metadata {
    pub(super) provider: Provider,
}

/// What the crate does not know of.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Extra {
    /// RFC 9207 §3
    pub(super) authorization_response_iss_parameter_supported: Option<bool>,
}

impl AdditionalProviderMetadata for Extra {}

/// What is known, by issuer.
pub(crate) struct Known {
    metadata: Cache<String, Arc<Metadata>>,
    /// Those whose keys were asked for anew a moment ago.
    renewed: Cache<String, ()>,
}

impl Known {
    /// Nothing yet.
    pub(crate) fn new() -> Self {
        let cache = |span| Cache::builder().max_capacity(PROVIDERS).time_to_live(span);
        Self {
            metadata: cache(FRESH).build(),
            renewed: Cache::builder().max_capacity(PROVIDERS).time_to_live(PAUSE).build(),
        }
    }

    /// The provider's metadata and keys. Whoever comes while they are fetched waits for them.
    pub(super) async fn of(&self, party: &RelyingParty<'_>) -> Result<Arc<Metadata>, UpstreamError> {
        let issuer = party.upstream.issuer.clone();
        let found = self.metadata.try_get_with(issuer, fetch(party)).await;
        found.map_err(|error| error.as_ref().clone())
    }

    /// The same, fetched anew unless that was done a moment ago.
    pub(super) async fn renewed(&self, party: &RelyingParty<'_>) -> Result<Arc<Metadata>, UpstreamError> {
        let issuer = &party.upstream.issuer;
        if self.renewed.get(issuer).await.is_none() {
            self.renewed.insert(issuer.clone(), ()).await;
            self.metadata.invalidate(issuer).await;
        }
        self.of(party).await
    }
}

/// OpenID Connect Discovery §4: the document must name the very issuer that it was found by.
async fn fetch(party: &RelyingParty<'_>) -> Result<Arc<Metadata>, UpstreamError> {
    let issuer = IssuerUrl::new(party.upstream.issuer.clone());
    let issuer = issuer.map_err(|error| UpstreamError::unavailable("issuer", &error))?;
    let http = Http(party.outbound);
    let provider = Provider::discover_async(issuer, &http).await;
    let provider = provider.map_err(|error| UpstreamError::unavailable("discovery", &error))?;
    // A provider could name any address; a browser is sent to those that we would ask ourselves.
    let endpoint = provider.authorization_endpoint().url();
    let admitted = party.outbound.admits(endpoint);
    admitted.map_err(|error| UpstreamError::unavailable("authorization endpoint", &error))?;
    Ok(Arc::new(Metadata { provider }))
}
