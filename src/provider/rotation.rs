//! Rotation of signing keys: a key is published, then signs, then leaves the key set, so that every signature can be
//! verified.
//!
//! A key is published before it signs, for as long as clients may cache the key set ([`Settings::key_lead`]). It leaves
//! when the longest-lived token it signed has expired. Unpublished it is kept for [`HINTS`] more, because an expired ID
//! token still identifies the user in `id_token_hint`. Housekeeping rotates keys that have signed for
//! [`Settings::key_rotation`].
//!
//! [`Settings::key_lead`]: crate::domain::settings::Settings::key_lead
//! [`Settings::key_rotation`]: crate::domain::settings::Settings::key_rotation

use std::time::Duration;

use super::Idp;
use super::Internal;
use crate::domain::client::{Client, SigningAlgorithm};
use crate::domain::ids::{IssuerId, KeyId, Reference};
use crate::domain::time::Time;
use crate::storage::keys::{self, KeyState, StoredKey};
use crate::storage::{clients, issuers};

/// How long an ID token is accepted as a hint after its key has left (OpenID Connect Core §3.1.2.1).
const HINTS: Duration = Duration::from_hours(90 * 24);
/// Allowed clock skew between nodes and clients.
const SKEW: Duration = Duration::from_mins(1);
/// Maximum issuers rotated in one round of housekeeping, because generating RSA keys takes CPU time.
const ROUND: i64 = 16;

/// The way in which a key is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rotation {
    /// The next key is published first, and the old one leaves when every token it signed has expired.
    Gentle,
    /// The old key is compromised: it leaves at once, and its signatures are no longer accepted.
    Now,
}

/// The result of a rotation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rotated {
    /// A new key was generated.
    Key(KeyStatus),
    /// A next key exists already and waits for its time.
    Waiting(KeyStatus),
}

/// The store or the keys failed; the reason is in the log under this reference.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the store or the master key failed; see {0} in the log")]
pub struct KeysFailed(Reference);

impl<E: Into<Internal>> From<E> for KeysFailed {
    fn from(error: E) -> Self {
        Self(error.into().reference().clone())
    }
}

/// A signing key as shown to operators.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyStatus {
    /// The `kid`.
    pub id: KeyId,
    /// The issuer that signs with it.
    pub issuer: IssuerId,
    /// The issuer's URL.
    pub issuer_url: String,
    /// Its algorithm.
    pub algorithm: SigningAlgorithm,
    /// Its state.
    pub state: KeyState,
    /// Whether it is in the key set.
    pub published: bool,
    /// The time from which it signs.
    pub signs_from: Time,
    /// The time at which it leaves the key set, if known.
    pub leaves_at: Option<Time>,
}

impl Idp {
    /// All signing keys, by issuer, algorithm and age.
    pub async fn keys(&self) -> Result<Vec<KeyStatus>, KeysFailed> {
        let all = keys::all(&mut self.db().read().tx()).await?;
        let mut found = Vec::new();
        for key in &all {
            let own: Vec<StoredKey> =
                all.iter().filter(|other| other.issuer == key.issuer).cloned().collect();
            found.push(self.status(key, &own).await?);
        }
        Ok(found)
    }

    /// Gives the issuer a new key with this algorithm.
    pub async fn rotate_key(
        &self,
        issuer: &IssuerId,
        algorithm: SigningAlgorithm,
        rotation: Rotation,
    ) -> Result<Rotated, KeysFailed> {
        let now = self.now();
        let own = keys::of_issuer(&mut self.db().read().tx(), issuer).await?;
        let youngest = own.iter().filter(|key| key.algorithm == algorithm).max_by_key(|key| key.generation);
        if let Some(next) = youngest.filter(|key| rotation == Rotation::Gentle && key.signs_from > now) {
            return Ok(Rotated::Waiting(self.status(next, &own).await?));
        }
        let generation = keys::next_generation(&own, algorithm);
        // The very first key has no predecessor that clients could have cached.
        let lead = match rotation {
            Rotation::Gentle if youngest.is_some() => self.settings().key_lead(),
            _ => Duration::ZERO,
        };
        let key = self.new_key(issuer, algorithm, generation, now.plus(lead)).await?;
        let clients = clients::of_issuer(&mut self.db().read().tx(), &issuer.home()).await?;
        let leave_at = key.signs_from.plus(self.token_lifetime(&clients));
        let work = key.clone();
        let ours = self.db().write(move |tx| {
            let key = work.clone();
            Box::pin(async move {
                match rotation {
                    Rotation::Gentle => keys::succeed(tx, &key, leave_at).await,
                    Rotation::Now => keys::replace(tx, &key).await,
                }
            })
        });
        let ours = ours.await?;
        let own = keys::of_issuer(&mut self.db().read().tx(), issuer).await?;
        let stands = own.iter().filter(|key| key.algorithm == algorithm).max_by_key(|key| key.generation);
        let stands = stands.ok_or_else(|| Internal::fault(&"a key just stored is missing"))?;
        let status = self.status(stands, &own).await?;
        Ok(if ours { Rotated::Key(status) } else { Rotated::Waiting(status) })
    }

    /// The housekeeping of keys: rotates keys that are due, and unpublishes and deletes old ones.
    pub async fn tend_keys(&self) -> Result<(), KeysFailed> {
        let now = self.now();
        self.schedule_unused_keys().await?;
        if let Some(period) = self.settings().key_rotation {
            let due = keys::due(&mut self.db().read().tx(), now.minus(period), ROUND).await?;
            for (issuer, algorithm) in due {
                self.rotate_key(&issuer, algorithm, Rotation::Gentle).await?;
            }
        }
        self.db().write(move |tx| Box::pin(keys::retire(tx, now, now.minus(HINTS)))).await?;
        Ok(())
    }

    /// The lifetime of the longest-lived token that an issuer signs for its clients, plus clock skew.
    pub(super) fn token_lifetime(&self, clients: &[Client]) -> Duration {
        let access = clients.iter().map(|client| client.metadata.access_token_lifetime()).max();
        access.unwrap_or_default().max(self.settings().id_token_lifetime) + SKEW
    }

    async fn status(&self, key: &StoredKey, own: &[StoredKey]) -> Result<KeyStatus, Internal> {
        let root = &self.settings().issuer;
        let issuer = issuers::by_id(&mut self.db().read().tx(), root, &key.issuer).await?;
        Ok(KeyStatus {
            id: key.id.clone(),
            issuer: key.issuer.clone(),
            issuer_url: issuer.map_or_else(|| key.issuer.to_string(), |issuer| issuer.url.to_string()),
            algorithm: key.algorithm,
            state: key.state(own, self.now()),
            published: key.published,
            signs_from: key.signs_from,
            leaves_at: key.leaves_at,
        })
    }
}
