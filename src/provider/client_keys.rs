//! The public keys of clients: registered inline, or published by the client itself at its `jwks_uri`.
//!
//! A published set is fetched when it is needed, kept, and fetched again when it is five minutes old or when a signature
//! names a key that is not in it (OpenID Connect Core §10.1.1). Whoever knows a `client_id` can name such a key, so
//! there is at most one fetch per client in half a minute, whatever became of it, and one at a time, which runs to its
//! end even if nobody waits for it any more: who comes meanwhile waits, and who brings a known key waits for nobody. A set that cannot be fetched any more counts for an hour, so
//! that a client's trouble is not at once everybody's; longer would keep a stolen key alive that the client has taken out.
//!
//! Why memory and not rows: each node can ask for itself, and nothing is lost with it.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use quick_cache::sync::Cache;
use url::Url;

use super::Idp;
use crate::crypto::jwt::{JwkError, VerifyingKey};
use crate::domain::client::{Client, ClientAuthentication, ClientKeys};
use crate::domain::ids::{ClientId, IssuerId};
use crate::domain::time::Time;

/// How long a set is used without a question.
const FRESH: Duration = Duration::from_mins(5);
/// How long it is used while the question stays unanswered.
const STALE: Duration = Duration::from_hours(1);
/// The time between two fetches for one client.
const PAUSE: Duration = Duration::from_secs(30);
/// Bytes of a set; sixteen keys with certificates have less.
const LIMIT: usize = 64 * 1024;

/// Why a client has no keys: for the log.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum ClientKeysError {
    /// It proves itself otherwise, and signs nothing.
    #[error("the client has no keys")]
    None,
    /// What it registered or published is no set of usable keys.
    #[error("jwks: {0}")]
    Unusable(#[from] JwkError),
    /// There was no answer, or none that will do.
    #[error("jwks_uri: {0}")]
    NotFetched(String),
}

/// What is known of the sets that clients publish. The number bounds the memory, not how many clients there may be.
pub(crate) struct PublishedKeys(Cache<(IssuerId, ClientId), Arc<Slot>>);

/// One client's set.
#[derive(Default)]
struct Slot {
    known: RwLock<Option<Known>>,
    fetching: tokio::sync::Mutex<()>,
}

/// What the last question came to.
struct Known {
    address: String,
    asked_at: Time,
    /// The last good answer that still counts, and when it came; otherwise why there is none.
    keys: Result<(Time, Arc<Vec<VerifyingKey>>), ClientKeysError>,
}

impl PublishedKeys {
    /// Nothing known yet.
    pub(crate) fn new() -> Self {
        Self(Cache::new(16_384))
    }
}

impl Idp {
    /// The keys with which this client may have signed what names the key `kid`.
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
        // A task of its own: a caller that goes away, or is not polled on, must neither stop this fetch (the next one could
        // begin at once) nor keep the turn from those behind it.
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
    /// What can be said without a fetch, or without a further one so soon.
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
                tracing::warn!(jwks_uri = address, error = %failure, "the keys of a client are not to be had");
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
