//! One signing key after another: published, then signing, then gone, and never a signature that cannot be verified.
//!
//! A key is published for as long as clients may keep the key set before it signs ([`Settings::key_lead`]); it leaves
//! when the longest-lived token of its making is dead. Unpublished it stays for [`HINTS`] more, for an expired ID token
//! still says who is meant. Housekeeping rotates what has signed for [`Settings::key_rotation`].
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

/// How long an ID token is a good hint after its key has left (OpenID Connect Core §3.1.2.1).
const HINTS: Duration = Duration::from_hours(90 * 24);
/// Clocks of nodes and clients differ.
const SKEW: Duration = Duration::from_mins(1);
/// Issuers that one round of housekeeping rotates: making RSA keys is work.
const ROUND: i64 = 16;

/// How a key makes room for the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rotation {
    /// The next is published first, and the old one leaves when everything it signed is dead.
    Gentle,
    /// The old one is not to be trusted: it is gone at once, and nothing that it signed is verified any more.
    Now,
}

/// What became of the wish to rotate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rotated {
    /// There is a new key.
    Key(KeyStatus),
    /// There is a next key already, and it has its time before it.
    Waiting(KeyStatus),
}

/// The store or the keys failed; the log has the reason under this reference.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the store or the master key failed; the log tells more under {0}")]
pub struct KeysFailed(Reference);

impl<E: Into<Internal>> From<E> for KeysFailed {
    fn from(error: E) -> Self {
        Self(error.into().reference().clone())
    }
}

/// A key as operators see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyStatus {
    /// The `kid`.
    pub id: KeyId,
    /// Whose it is.
    pub issuer: IssuerId,
    /// The issuer's URL.
    pub issuer_url: String,
    /// What it signs with.
    pub algorithm: SigningAlgorithm,
    /// Where it stands.
    pub state: KeyState,
    /// Is it in the key set?
    pub published: bool,
    /// When it begins, or began, to sign.
    pub signs_from: Time,
    /// When it leaves the key set, if that is known.
    pub leaves_at: Option<Time>,
}

impl Idp {
    /// Every signing key there is, by issuer, algorithm and age.
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

    /// Gives the issuer a new key of this algorithm.
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
        // The very first key has no one to wait for.
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
        let stands = stands.ok_or_else(|| Internal::fault(&"a key just made is not there"))?;
        let status = self.status(stands, &own).await?;
        Ok(if ours { Rotated::Key(status) } else { Rotated::Waiting(status) })
    }

    /// What housekeeping does about keys: those that are due get a successor, those that are done leave.
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

    /// The life of the longest-lived token that an issuer signs for its clients, by any clock.
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
