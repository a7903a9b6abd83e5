//! The public keys of clients: registered inline, or published by the client at its `jwks_uri`.
//!
//! A published set is fetched when it is needed, cached, and fetched again when it is five minutes old or when a
//! signature names an unknown `kid` (OpenID Connect Core §10.1.1). Everyone who knows a `client_id` can name an unknown
//! `kid`, so there is at most one fetch per client in half a minute, whatever its outcome, and one at a time. A fetch
//! continues if its caller is dropped; requests with a known `kid` do not wait for it. If a set can no longer be
//! fetched, it is used for an hour, so that a client's outage does not stop its users at once; longer would keep a
//! stolen key valid that the client has removed.
//!
//! Why memory and not rows: each node can fetch the set itself, and nothing is lost on a restart.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use quick_cache::sync::Cache;
use url::Url;

use super::Idp;
use crate::crypto::jwt::{JwkError, VerifyingKey};
use crate::domain::client::{Client, ClientAuthentication, ClientKeys};
use crate::domain::ids::{ClientId, IssuerId};
use crate::domain::time::Time;

/// Age up to which a set is used without another fetch.
const FRESH: Duration = Duration::from_mins(5);
/// Age up to which a set is used if fetching fails.
const STALE: Duration = Duration::from_hours(1);
/// Minimum time between two fetches for one client.
const PAUSE: Duration = Duration::from_secs(30);
/// Maximum size of a set in bytes; sixteen keys with certificates are smaller.
const LIMIT: usize = 64 * 1024;

/// The reason why a client's keys are unavailable. For the log.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum ClientKeysError {
    /// The client authenticates in another way and signs nothing.
    #[error("the client has no keys")]
    None,
    /// The registered or published set contains no usable keys.
    #[error("jwks: {0}")]
    Unusable(#[from] JwkError),
    /// Fetching failed.
    #[error("jwks_uri: {0}")]
    NotFetched(String),
}

/// The published sets in memory. The capacity bounds the memory, not the number of clients.
pub(crate) struct PublishedKeys(Cache<(IssuerId, ClientId), Arc<Slot>>);

/// One client's set.
#[derive(Default)]
struct Slot {
    known: RwLock<Option<Known>>,
    fetching: tokio::sync::Mutex<()>,
}

/// The result of the last fetches.
struct Known {
    address: String,
    asked_at: Time,
    /// The last set that is still usable, with the time it was fetched; otherwise the error.
    keys: Result<(Time, Arc<Vec<VerifyingKey>>), ClientKeysError>,
}

impl PublishedKeys {
    /// An empty cache.
    pub(crate) fn new() -> Self {
        Self(Cache::new(16_384))
    }
}

impl Idp {
    /// The keys that may have made a signature of this client that names `kid`.
    pub(crate) async fn client_keys(
        &self,
        client: &Client,
        kid: Option<&str>,
    ) -> Result<Arc<Vec<VerifyingKey>>, ClientKeysError> {
        match &client.authentication {
            ClientAuthentication::PrivateKeyJwt(ClientKeys::Inline(set)) => {
                Ok(Arc::new(VerifyingKey::from_set(set)?))
            }
            ClientAuthentication::PrivateKeyJwt(ClientKeys::At(address)) => {
                self.published_keys_of(client, address, kid).await
            }
            _ => Err(ClientKeysError::None),
        }
    }

    async fn published_keys_of(
        &self,
        client: &Client,
        address: &str,
        kid: Option<&str>,
    ) -> Result<Arc<Vec<VerifyingKey>>, ClientKeysError> {
        let key = (client.issuer.clone(), client.id.clone());
        let slot = self
            .parts()
            .published_keys
            .0
            .get_or_insert_with(&key, || Ok::<_, ClientKeysError>(Arc::default()))?;
        if let Some(answer) = slot.answer(address, kid, self.now()) {
            return answer;
        }
        // A task of its own: if the caller is dropped or no longer polled, the fetch neither stops (the next one could
        // begin at once) nor keeps the lock from those that wait for it.
        let (idp, address, kid) = (self.clone(), address.to_owned(), kid.map(str::to_owned));
        let fetch = tokio::spawn(async move {
            let _turn = slot.fetching.lock().await;
            if let Some(answer) = slot.answer(&address, kid.as_deref(), idp.now()) {
                return answer;
            }
            let asked_at = idp.now();
            let fetched = idp.fetch_keys(&address).await;
            slot.note(address, asked_at, fetched)
        });
        fetch.await.unwrap_or_else(|error| Err(ClientKeysError::NotFetched(error.to_string())))
    }

    async fn fetch_keys(&self, address: &str) -> Result<Vec<VerifyingKey>, ClientKeysError> {
        let failed = |error: &dyn std::fmt::Display| ClientKeysError::NotFetched(error.to_string());
        let url = Url::parse(address).map_err(|error| failed(&error))?;
        let set = self.outbound().get_json(&url, LIMIT).await.map_err(|error| failed(&error))?;
        Ok(VerifyingKey::from_published(&set)?)
    }
}

impl Slot {
    /// The answer that is possible without a fetch, or because the last one is too recent.
    fn answer(
        &self,
        address: &str,
        kid: Option<&str>,
        now: Time,
    ) -> Option<Result<Arc<Vec<VerifyingKey>>, ClientKeysError>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let known = known.as_ref().filter(|known| known.address == address)?;
        let is_pausing = known.asked_at.is_recent(now, PAUSE);
        match &known.keys {
            Ok((came_at, keys)) => {
                let suits = came_at.is_recent(now, FRESH) && keys.iter().any(|key| key.answers_to(kid));
                (suits || is_pausing).then(|| Ok(keys.clone()))
            }
            Err(failure) => is_pausing.then(|| Err(failure.clone())),
        }
    }

    fn note(
        &self,
        address: String,
        asked_at: Time,
        fetched: Result<Vec<VerifyingKey>, ClientKeysError>,
    ) -> Result<Arc<Vec<VerifyingKey>>, ClientKeysError> {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let keys = match fetched {
            Ok(keys) => Ok((asked_at, Arc::new(keys))),
            Err(failure) => {
                tracing::warn!(jwks_uri = address, error = %failure, "cannot fetch the keys of a client");
                let before = known.take().filter(|known| known.address == address);
                let before = before.and_then(|known| known.keys.ok());
                before.filter(|(came_at, _)| came_at.is_recent(asked_at, STALE)).ok_or(failure)
            }
        };
        let answer = keys.clone().map(|(_, keys)| keys);
        *known = Some(Known { address, asked_at, keys });
        answer
    }
}
