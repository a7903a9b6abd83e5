//! The cache of the key sets that clients publish: what is known of each set, and whether it must be fetched.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use quick_cache::sync::Cache;

use crate::crypto::jwt::{JwkError, VerifyingKey};
use crate::domain::ids::{ClientId, IssuerId};
use crate::domain::time::Time;

/// Age up to which a set is used without another fetch.
const FRESH: Duration = Duration::from_mins(5);
/// Age up to which a set is used if fetching fails.
const STALE: Duration = Duration::from_hours(1);
/// Minimum time between two fetches for one client.
const PAUSE: Duration = Duration::from_secs(30);
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
pub(crate) struct PublishedKeys(Cache<(IssuerId, ClientId), Arc<PublishedKeySet>>);

/// One client's set.
#[derive(Default)]
pub(super) struct PublishedKeySet {
    known: RwLock<Option<LastFetch>>,
    /// Held during a fetch.
    pub(super) fetching: tokio::sync::Mutex<()>,
}

/// The result of the last fetches.
struct LastFetch {
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

    /// The set of this client, perhaps not fetched yet.
    pub(super) fn of(&self, client: &(IssuerId, ClientId)) -> Result<Arc<PublishedKeySet>, ClientKeysError> {
        self.0.get_or_insert_with(client, || Ok(Arc::default()))
    }
}

impl PublishedKeySet {
    /// The answer that is possible without a fetch, or because the last one is too recent.
    pub(super) fn answer(
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

    pub(super) fn note(
        &self,
        address: String,
        asked_at: Time,
        fetched: Result<Vec<VerifyingKey>, ClientKeysError>,
    ) -> Result<Arc<Vec<VerifyingKey>>, ClientKeysError> {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let keys = match fetched {
            Ok(keys) => Ok((asked_at, Arc::new(keys))),
            Err(failure) => {
                tracing::warn!(jwks_uri = address, error = %failure, "the keys of a client are not to be had");
                let before = known.take().filter(|known| known.address == address);
                let before = before.and_then(|known| known.keys.ok());
                before.filter(|(came_at, _)| came_at.is_recent(asked_at, STALE)).ok_or(failure)
            }
        };
        let answer = keys.clone().map(|(_, keys)| keys);
        *known = Some(LastFetch { address, asked_at, keys });
        answer
    }
}
