//! What is known of upstream providers: their metadata and keys, fetched when they are needed and kept for a while.
//!
//! Bounded in number, in bytes and in age. Keys are fetched anew when a signature names one that is not known, at most
//! once a minute for each provider, whatever it signs with.

use std::sync::Arc;
use std::time::Duration;

use openidconnect::core::{
    CoreAuthDisplay, CoreClaimName, CoreClaimType, CoreClient, CoreClientAuthMethod, CoreGrantType,
    CoreJsonWebKey, CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm, CoreResponseMode,
    CoreResponseType, CoreSubjectIdentifierType,
};
use openidconnect::{
    AdditionalProviderMetadata, EndpointMaybeSet, EndpointNotSet, EndpointSet, IssuerUrl, ProviderMetadata,
};
use quick_cache::sync::Cache;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use super::{Http, RelyingParty, UpstreamError};
use crate::outbound::Outbound;

/// How long metadata and keys count.
const FRESH: Duration = Duration::from_hours(1);
/// The time between two fetches for unknown keys.
const PAUSE: Duration = Duration::from_mins(1);
/// More providers than this still work, with a fetch each.
const PROVIDERS: usize = 256;

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
pub(crate) struct MetadataCache(Cache<String, Arc<Mutex<Slot>>>);

/// What is known of one provider.
#[derive(Default)]
struct Slot {
    /// What the last fetch came to, and when.
    fetched: Option<(Instant, Result<Arc<Metadata>, UpstreamError>)>,
    /// When its keys were asked for anew.
    renewed: Option<Instant>,
}

impl MetadataCache {
    /// Nothing yet.
    pub(crate) fn new() -> Self {
        Self(Cache::new(PROVIDERS))
    }

    /// The provider's metadata and keys. Callers that come while they are fetched wait for them.
    pub(super) async fn of(&self, party: &RelyingParty<'_>) -> Result<Arc<Metadata>, UpstreamError> {
        self.ask(party, false).await
    }

    /// The same, fetched again unless that was done a moment ago.
    pub(super) async fn renewed(&self, party: &RelyingParty<'_>) -> Result<Arc<Metadata>, UpstreamError> {
        self.ask(party, true).await
    }

    /// A task of its own: a caller that goes away, or is not polled on, keeps the provider's slot from nobody.
    async fn ask(&self, party: &RelyingParty<'_>, renew: bool) -> Result<Arc<Metadata>, UpstreamError> {
        let came_at = Instant::now();
        let issuer = party.upstream.issuer.clone();
        let slot: Arc<Mutex<Slot>> =
            self.0.get_or_insert_with(&issuer, || Ok::<_, UpstreamError>(Arc::default()))?;
        let (outbound, patience) = (party.outbound.clone(), party.patience);
        let asked = tokio::spawn(async move {
            let mut slot = slot.lock().await;
            if renew && slot.renewed.is_none_or(|at| at.elapsed() >= PAUSE) {
                *slot = Slot { fetched: None, renewed: Some(came_at) };
            }
            slot.metadata(&outbound, issuer, patience, came_at).await
        });
        asked.await.map_err(|error| UpstreamError::unavailable("discovery", &error))?
    }
}

impl Slot {
    /// What is fresh, and what others have fetched, or failed to, while this caller waited; otherwise it is fetched.
    async fn metadata(
        &mut self,
        outbound: &Outbound,
        issuer: String,
        patience: Duration,
        came_at: Instant,
    ) -> Result<Arc<Metadata>, UpstreamError> {
        if let Some((at, outcome)) = &self.fetched
            && (*at >= came_at || outcome.is_ok() && at.elapsed() < FRESH)
        {
            return outcome.clone();
        }
        let late = |_| Err(UpstreamError::Unavailable("the provider takes too long".into()));
        let outcome = timeout(patience, fetch(outbound, issuer)).await.unwrap_or_else(late);
        self.fetched = Some((Instant::now(), outcome.clone()));
        outcome
    }
}

/// OpenID Connect Discovery §4: the document must name the very issuer that it was found by.
async fn fetch(outbound: &Outbound, issuer: String) -> Result<Arc<Metadata>, UpstreamError> {
    let issuer = IssuerUrl::new(issuer).map_err(|error| UpstreamError::unavailable("issuer", &error))?;
    let http = Http(outbound);
    let provider = Provider::discover_async(issuer, &http).await;
    let provider = provider.map_err(|error| UpstreamError::unavailable("discovery", &error))?;
    // A provider could name any address; a browser is sent to those that we would ask ourselves.
    let endpoint = provider.authorization_endpoint().url();
    let admitted = outbound.admits(endpoint);
    admitted.map_err(|error| UpstreamError::unavailable("authorization endpoint", &error))?;
    Ok(Arc::new(Metadata { provider }))
}
