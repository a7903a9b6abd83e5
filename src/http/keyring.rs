//! The signing keys of the issuers: made when first needed, sealed at rest, parsed once.
//!
//! A tenant costs nothing until somebody asks for its keys. Two nodes may make a key at the same moment: the store
//! keeps one of them, and both go on with that one.

use std::sync::Arc;

use moka::future::Cache;

use super::error::Internal;
use super::state::Idp;
use crate::crypto::jwt::{Expected, JwtError, Signed, VerifyingKey};
use crate::crypto::keys::SigningKey;
use crate::crypto::secret;
use crate::domain::client::SigningAlgorithm;
use crate::domain::ids::{Hash, IssuerId, KeyId};
use crate::domain::time::Time;
use crate::storage::keys::{self, StoredKey};

/// The keys of an issuer as stored, and as they verify.
type Verifying = (Arc<Vec<StoredKey>>, Arc<Vec<VerifyingKey>>);

/// A token whose signature was good under these keys.
type Verified = (Arc<Vec<VerifyingKey>>, Arc<Signed>);

/// Parsed keys, and what they have verified.
#[derive(Clone)]
pub(crate) struct Keyring {
    signing: Cache<KeyId, SigningKey>,
    verifying: Cache<IssuerId, Verifying>,
    verified: Cache<Hash, Verified>,
}

impl Keyring {
    /// An empty ring; the numbers bound its memory, not how many keys and tokens there may be.
    pub(crate) fn new() -> Self {
        Self { signing: Cache::new(4096), verifying: Cache::new(4096), verified: Cache::new(2048) }
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
            return self.parsed(&stored).await;
        }
        self.make_key(issuer, algorithm).await?;
        let stored = self.stored_key(issuer, algorithm).await?;
        self.parsed(&stored.ok_or_else(|| Internal::fault(&"a key just made is not there"))?).await
    }

    /// The keys that this issuer publishes, those of every algorithm made now if need be.
    pub(crate) async fn issuer_keys(&self, issuer: &IssuerId) -> Result<Vec<SigningKey>, Internal> {
        for algorithm in SigningAlgorithm::ALL {
            self.signing_key(issuer, algorithm).await?;
        }
        let mut parsed = Vec::new();
        for stored in self.catalogue().keys(issuer).await?.iter().filter(|key| key.published) {
            parsed.push(self.parsed(stored).await?);
        }
        Ok(parsed)
    }

    /// What this issuer's signatures are checked with, those that have left the key set included: what they signed and
    /// what has not expired is still ours. Nothing is made: what no key has signed is not ours.
    pub(crate) async fn verifying_keys(&self, issuer: &IssuerId) -> Result<Arc<Vec<VerifyingKey>>, Internal> {
        let stored = self.catalogue().keys(issuer).await?;
        if let Some((of, keys)) = self.keyring().verifying.get(issuer).await
            && Arc::ptr_eq(&of, &stored)
        {
            return Ok(keys);
        }
        let mut keys = Vec::new();
        for stored in stored.iter() {
            let key = self.parsed(stored).await?;
            keys.push(VerifyingKey::try_from(&key).map_err(|error| Internal::fault(&error))?);
        }
        let keys = Arc::new(keys);
        self.keyring().verifying.insert(issuer.clone(), (stored, keys.clone())).await;
        Ok(keys)
    }

    /// A token that this issuer has signed. The signature is verified once and remembered by the token's hash, for as
    /// long as the issuer's keys stay what they are; what the token says the caller checks each time.
    pub(crate) async fn signed_here(
        &self,
        issuer: &IssuerId,
        token: &str,
        expected: &Expected<'_>,
    ) -> Result<Result<Arc<Signed>, JwtError>, Internal> {
        let keys = self.verifying_keys(issuer).await?;
        let verified = &self.keyring().verified;
        let hash = secret::hash(token);
        if let Some((under, signed)) = verified.get(&hash).await
            && Arc::ptr_eq(&under, &keys)
        {
            return Ok(Ok(signed));
        }
        Ok(match Signed::open(token, &keys, expected) {
            Ok(signed) => {
                let signed = Arc::new(signed);
                verified.insert(hash, (keys, signed.clone())).await;
                Ok(signed)
            }
            Err(error) => Err(error),
        })
    }

    async fn stored_key(
        &self,
        issuer: &IssuerId,
        algorithm: SigningAlgorithm,
    ) -> Result<Option<StoredKey>, Internal> {
        let stored = self.catalogue().keys(issuer).await?;
        Ok(keys::signing(&stored, algorithm, self.now()).cloned())
    }

    async fn make_key(&self, issuer: &IssuerId, algorithm: SigningAlgorithm) -> Result<(), Internal> {
        let stored = self.new_key(issuer, algorithm, 0, self.now()).await?;
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

    async fn parsed(&self, stored: &StoredKey) -> Result<SigningKey, Internal> {
        let parse = async {
            let pkcs8 = self.sealer().open(&stored.sealed, &row(&stored.id))?;
            SigningKey::from_pkcs8(stored.id.clone(), stored.algorithm, &pkcs8)
                .map_err(|error| Internal::fault(&error))
        };
        let parsed = self.keyring().signing.try_get_with(stored.id.clone(), parse).await;
        parsed.map_err(|error: Arc<Internal>| Internal::clone(&error))
    }
}

/// The row that a sealed key is bound to.
fn row(id: &KeyId) -> String {
    format!("signing_keys/{id}")
}
