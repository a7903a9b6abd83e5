//! The signing keys of the issuers: made when first needed, sealed at rest, parsed once.
//!
//! A tenant costs nothing until somebody asks for its keys. Two nodes may make a key at the same moment: the store
//! keeps one of them, and both go on with that one. A node makes one key at a time, for an RSA key keeps a core busy for a
//! tenth of a second and more: of many who want a new issuer's first key, one makes it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use quick_cache::sync::Cache;
use tokio::sync::Mutex;

use super::Idp;
use super::Internal;
use crate::crypto::jwt::VerifyingKey;
use crate::crypto::keys::SigningKey;
use crate::crypto::secret;
use crate::domain::access_token::AccessToken;
use crate::domain::client::SigningAlgorithm;
use crate::domain::ids::{Hash, IssuerId, KeyId};
use crate::domain::time::Time;
use crate::storage::keys::{self, StoredKey};

/// The keys of an issuer as stored, and as they verify.
type Verifying = (Arc<Vec<StoredKey>>, Arc<Vec<VerifyingKey>>);

/// A token, and the keys it was read with.
type Read = (Arc<Vec<VerifyingKey>>, Arc<AccessToken>);

/// Parsed keys, and the tokens read with them.
pub(crate) struct Keyring {
    signing: Cache<KeyId, SigningKey>,
    verifying: Cache<IssuerId, Verifying>,
    read: Cache<Hash, Read>,
    making: Mutex<()>,
    /// The catalogue's revision under which unused keys were looked for last.
    tended: AtomicI64,
}

impl Keyring {
    /// An empty ring; the numbers bound its memory, not how many keys and tokens there may be.
    pub(crate) fn new() -> Self {
        Self {
            signing: Cache::new(4096),
            verifying: Cache::new(4096),
            read: Cache::new(2048),
            making: Mutex::default(),
            tended: AtomicI64::new(-1),
        }
    }

    /// Has anything changed since unused keys were looked for?
    pub(super) fn is_tended(&self, revision: i64) -> bool {
        self.tended.load(Ordering::Relaxed) == revision
    }

    /// Notes that unused keys were looked for.
    pub(super) fn note_tended(&self, revision: i64) {
        self.tended.store(revision, Ordering::Relaxed);
    }
}

impl Idp {
    /// The key that signs with this algorithm at this issuer.
    pub(crate) async fn signing_key(
        &self,
        issuer: &IssuerId,
        algorithm: SigningAlgorithm,
    ) -> Result<SigningKey, Internal> {
        if let Some(stored) = self.stored_key(issuer, algorithm).await? {
            return self.parsed(&stored);
        }
        // A task of its own, so that a caller that is dropped or no longer polled does not block the others.
        let (idp, of) = (self.clone(), issuer.clone());
        let made = tokio::spawn(async move { idp.make_key(&of, algorithm).await });
        made.await.map_err(|error| Internal::fault(&error))??;
        let stored = self.stored_key(issuer, algorithm).await?;
        self.parsed(&stored.ok_or_else(|| Internal::fault(&"a key just made is not there"))?)
    }

    /// Makes the keys of the algorithms that this issuer uses and has none for.
    pub(crate) async fn make_missing_keys(&self, issuer: &IssuerId) -> Result<(), Internal> {
        for algorithm in self.signing_algorithms(issuer).await? {
            self.signing_key(issuer, algorithm).await?;
        }
        Ok(())
    }

    /// The keys that this issuer publishes.
    pub(crate) async fn published_keys(&self, issuer: &IssuerId) -> Result<Vec<SigningKey>, Internal> {
        let mut parsed = Vec::new();
        for stored in self.catalogue().keys(issuer).await?.iter().filter(|key| key.published) {
            parsed.push(self.parsed(stored)?);
        }
        Ok(parsed)
    }

    /// What this issuer's signatures are checked with, those that have left the key set included: what they signed and
    /// what has not expired is still ours. Nothing is made: what no key has signed is not ours.
    pub(crate) async fn verifying_keys(&self, issuer: &IssuerId) -> Result<Arc<Vec<VerifyingKey>>, Internal> {
        let stored = self.catalogue().keys(issuer).await?;
        if let Some((of, keys)) = self.keyring().verifying.get(issuer)
            && Arc::ptr_eq(&of, &stored)
        {
            return Ok(keys);
        }
        let mut keys = Vec::new();
        for stored in stored.iter() {
            let key = self.parsed(stored)?;
            keys.push(VerifyingKey::try_from(&key).map_err(|error| Internal::fault(&error))?);
        }
        let keys = Arc::new(keys);
        self.keyring().verifying.insert(issuer.clone(), (stored, keys.clone()));
        Ok(keys)
    }

    /// What a token of this issuer says: read with its keys once and then remembered by the token's hash, for as long as
    /// the keys stay what they are. What is remembered grows older, so the caller looks at its times.
    pub(crate) async fn read_once<E>(
        &self,
        issuer: &IssuerId,
        token: &str,
        read: impl FnOnce(&[VerifyingKey]) -> Result<AccessToken, E>,
    ) -> Result<Result<Arc<AccessToken>, E>, Internal> {
        let keys = self.verifying_keys(issuer).await?;
        let seen = &self.keyring().read;
        let hash = secret::hash(token);
        if let Some((with, token)) = seen.get(&hash)
            && Arc::ptr_eq(&with, &keys)
        {
            return Ok(Ok(token));
        }
        let token = match read(&keys) {
            Ok(token) => Arc::new(token),
            Err(error) => return Ok(Err(error)),
        };
        seen.insert(hash, (keys, token.clone()));
        Ok(Ok(token))
    }

    async fn stored_key(
        &self,
        issuer: &IssuerId,
        algorithm: SigningAlgorithm,
    ) -> Result<Option<StoredKey>, Internal> {
        let stored = self.catalogue().keys(issuer).await?;
        Ok(keys::signing(&stored, algorithm, self.now()).cloned())
    }

    /// Makes the first key, or the first since the algorithm was last in use, unless another task has by now.
    async fn make_key(&self, issuer: &IssuerId, algorithm: SigningAlgorithm) -> Result<(), Internal> {
        let _turn = self.keyring().making.lock().await;
        if self.stored_key(issuer, algorithm).await?.is_some() {
            return Ok(());
        }
        let known = self.catalogue().keys(issuer).await?;
        let generation = keys::next_generation(&known, algorithm);
        let stored = self.new_key(issuer, algorithm, generation, self.now()).await?;
        self.db()
            .write(move |tx| {
                let stored = stored.clone();
                Box::pin(async move { keys::insert_first(tx, &stored).await })
            })
            .await?;
        Ok(())
    }

    /// A key that is not stored yet.
    pub(super) async fn new_key(
        &self,
        issuer: &IssuerId,
        algorithm: SigningAlgorithm,
        generation: i64,
        signs_from: Time,
    ) -> Result<StoredKey, Internal> {
        let made = tokio::task::spawn_blocking(move || SigningKey::generate(algorithm)).await;
        let key = made.map_err(|error| Internal::fault(&error))?.map_err(|error| Internal::fault(&error))?;
        let pkcs8 = key.pkcs8().map_err(|error| Internal::fault(&error))?;
        Ok(StoredKey {
            id: key.id().clone(),
            issuer: issuer.clone(),
            algorithm,
            generation,
            sealed: self.sealer().seal(&pkcs8, &row(key.id()))?,
            created_at: self.now(),
            signs_from,
            leaves_at: None,
            published: true,
        })
    }

    fn parsed(&self, stored: &StoredKey) -> Result<SigningKey, Internal> {
        self.keyring().signing.get_or_insert_with(&stored.id, || {
            let pkcs8 = self.sealer().open(&stored.sealed, &row(&stored.id))?;
            SigningKey::from_pkcs8(stored.id.clone(), stored.algorithm, &pkcs8)
                .map_err(|error| Internal::fault(&error))
        })
    }
}

/// The row that a sealed key is bound to.
fn row(id: &KeyId) -> String {
    format!("signing_keys/{id}")
}
