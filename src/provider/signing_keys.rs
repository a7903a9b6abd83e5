//! The signing keys of the issuers: generated when first needed, sealed at rest, parsed once.
//!
//! A tenant has no keys until they are first requested. If two nodes generate a key concurrently, the store keeps one
//! of them, and both use it. A node generates one key at a time, because an RSA key takes a tenth of a second of CPU
//! time or more; concurrent requests for a new issuer's first key wait for the same one.

use std::sync::Arc;

use super::{Idp, Internal};
use crate::crypto::jwt::VerifyingKey;
use crate::crypto::keys::SigningKey;
use crate::crypto::secret;
use crate::domain::access_token::AccessToken;
use crate::domain::client::SigningAlgorithm;
use crate::domain::ids::{IssuerId, KeyId};
use crate::domain::time::Time;
use crate::storage::keys::{self, StoredKey};

impl Idp {
    /// The key that signs with this algorithm at this issuer; generated if it does not exist.
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

    /// Generates keys for the algorithms of this issuer that have none.
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

    /// The keys that verify this issuer's signatures, including those that have left the key set: tokens they signed
    /// may still be valid. Generates no key, because without one there is no signature.
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

    /// The content of a token of this issuer, verified once and then cached by the token's hash while the keys stay the
    /// same. The caller checks its times on every use.
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

    /// Generates the first key, or the first since the algorithm was last in use, unless another task has done so.
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

    /// Generates a key without storing it.
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

/// The row name that a key is sealed for.
fn row(id: &KeyId) -> String {
    format!("signing_keys/{id}")
}
