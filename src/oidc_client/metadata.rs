//! The cache of providers' metadata and keys, fetched on demand.
//!
//! Bounded in number, in bytes and in age. Keys are fetched again when a signature names an unknown one, at most once a
//! minute for each provider.

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
use serde_json::Value;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use super::error::ProviderError;
use super::http::HttpClient;

/// The age up to which metadata and keys are used.
const FRESH: Duration = Duration::from_hours(1);
/// The minimum time between two fetches for unknown keys.
const PAUSE: Duration = Duration::from_mins(1);
/// The capacity of the cache; beyond it each use is a fetch.
const PROVIDERS: usize = 256;

/// The crate's client of a provider with discovered endpoints.
pub(super) type CoreProviderClient = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

type DiscoveredProvider = ProviderMetadata<
    AdditionalMembers,
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

/// A provider's metadata and keys.
pub(crate) struct Metadata {
    pub(super) provider: DiscoveredProvider,
}

/// Members of the metadata that the crate does not read.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct AdditionalMembers {
    /// RFC 9207 §3
    pub(super) authorization_response_iss_parameter_supported: Option<bool>,
    /// RP-Initiated Logout 1.0 §2.1. Of any type, so that a provider with a malformed one still signs users in.
    end_session_endpoint: Option<Value>,
}

impl AdditionalProviderMetadata for AdditionalMembers {}

impl Metadata {
    /// The address that ends a session at the provider.
    pub(crate) fn end_session_endpoint(&self) -> Option<&str> {
        self.provider.additional_metadata().end_session_endpoint.as_ref().and_then(Value::as_str)
    }

    /// The provider's keys as a JWK set (RFC 7517 §5).
    pub(crate) fn jwks(&self) -> Result<Value, ProviderError> {
        let keys = serde_json::to_value(self.provider.jwks());
        keys.map_err(|error| ProviderError::unavailable("key set", &error))
    }
}

/// Metadata by issuer.
pub(crate) struct MetadataCache(Cache<String, Arc<Mutex<CachedProvider>>>);

/// The cache's entry for one provider.
#[derive(Default)]
struct CachedProvider {
    /// The outcome of the last fetch, and its time.
    fetched: Option<(Instant, Result<Arc<Metadata>, ProviderError>)>,
    /// The time of the last fetch for an unknown key.
    renewed: Option<Instant>,
}

impl MetadataCache {
    /// An empty cache.
    pub(crate) fn new() -> Self {
        Self(Cache::new(PROVIDERS))
    }

    /// The provider's metadata and keys. Callers that come during a fetch wait for its outcome.
    pub(super) async fn get(
        &self,
        http: &HttpClient,
        issuer: &str,
        deadline: Duration,
    ) -> Result<Arc<Metadata>, ProviderError> {
        self.load(http, issuer, deadline, false).await
    }

    /// The same, fetched again unless that was done within [`PAUSE`].
    pub(super) async fn renew(
        &self,
        http: &HttpClient,
        issuer: &str,
        deadline: Duration,
    ) -> Result<Arc<Metadata>, ProviderError> {
        self.load(http, issuer, deadline, true).await
    }

    /// The fetch is a task of its own: a caller that is dropped, or no longer polled, does not keep the entry locked.
    async fn load(
        &self,
        http: &HttpClient,
        issuer: &str,
        deadline: Duration,
        renew: bool,
    ) -> Result<Arc<Metadata>, ProviderError> {
        let came_at = Instant::now();
        let entry: Arc<Mutex<CachedProvider>> =
            self.0.get_or_insert_with(issuer, || Ok::<_, ProviderError>(Arc::default()))?;
        let (http, issuer) = (http.clone(), issuer.to_owned());
        let loaded = tokio::spawn(async move {
            let mut entry = entry.lock().await;
            if renew && entry.renewed.is_none_or(|at| at.elapsed() >= PAUSE) {
                *entry = CachedProvider { fetched: None, renewed: Some(came_at) };
            }
            entry.metadata(&http, issuer, deadline, came_at).await
        });
        loaded.await.map_err(|error| ProviderError::unavailable("discovery", &error))?
    }
}

impl CachedProvider {
    /// Fresh metadata, or the outcome of a fetch that ended while this caller waited; otherwise a new fetch.
    async fn metadata(
        &mut self,
        http: &HttpClient,
        issuer: String,
        deadline: Duration,
        came_at: Instant,
    ) -> Result<Arc<Metadata>, ProviderError> {
        if let Some((at, outcome)) = &self.fetched
            && (*at >= came_at || outcome.is_ok() && at.elapsed() < FRESH)
        {
            return outcome.clone();
        }
        let fetched = timeout(deadline, fetch(http, issuer)).await;
        let outcome = fetched.unwrap_or_else(|_| Err(ProviderError::late()));
        self.fetched = Some((Instant::now(), outcome.clone()));
        outcome
    }
}

/// OpenID Connect Discovery §4: the document must name the very issuer that it was found by.
async fn fetch(http: &HttpClient, issuer: String) -> Result<Arc<Metadata>, ProviderError> {
    let issuer = IssuerUrl::new(issuer).map_err(|error| ProviderError::unavailable("issuer", &error))?;
    let provider = DiscoveredProvider::discover_async(issuer, http).await;
    let provider = provider.map_err(|error| ProviderError::unavailable("discovery", &error))?;
    // A provider could name any address; a browser is sent to those only that the client itself would request.
    let admitted = http.admits(provider.authorization_endpoint().url());
    admitted.map_err(|error| ProviderError::unavailable("authorization endpoint", &error))?;
    Ok(Arc::new(Metadata { provider }))
}
