//! The algorithms that an issuer signs with: the mandatory ones, and those that its clients registered.
//!
//! A key that no client uses any more leaves the key set as a replaced key does: when the last token it signed has
//! expired. If a client uses the algorithm again before that, the key stays.

use super::Idp;
use super::Internal;
use super::rotation::KeysFailed;
use crate::domain::client::{Client, SigningAlgorithm};
use crate::domain::ids::IssuerId;
use crate::storage::{clients, keys};

impl Idp {
    /// The algorithms that this issuer has keys for.
    pub(super) async fn signing_algorithms(
        &self,
        issuer: &IssuerId,
    ) -> Result<Vec<SigningAlgorithm>, Internal> {
        let own = clients::of_issuer(&mut self.db().read().tx(), &issuer.home()).await?;
        Ok(in_use(&own))
    }

    /// Returns whether the issuer signs anything with this algorithm.
    pub async fn signs_with(
        &self,
        issuer: &IssuerId,
        algorithm: SigningAlgorithm,
    ) -> Result<bool, KeysFailed> {
        Ok(self.signing_algorithms(issuer).await?.contains(&algorithm))
    }

    /// Removes the keys of an algorithm at once, for example compromised ones; their signatures are no longer accepted.
    pub async fn remove_keys(
        &self,
        issuer: &IssuerId,
        algorithm: SigningAlgorithm,
    ) -> Result<(), KeysFailed> {
        let of = issuer.clone();
        let removed = self.db().write(move |tx| {
            let of = of.clone();
            Box::pin(async move { keys::remove(tx, &of, algorithm).await })
        });
        Ok(removed.await?)
    }

    /// Schedules the removal of unused keys, and cancels it for keys that are used again.
    pub(super) async fn schedule_unused_keys(&self) -> Result<(), Internal> {
        let revision = self.catalogue().revision().await?;
        if self.keyring().is_tended(revision) {
            return Ok(());
        }
        let optional = keys::optional(&mut self.db().read().tx()).await?;
        for key in optional {
            let own = clients::of_issuer(&mut self.db().read().tx(), &key.issuer.home()).await?;
            let leaves_at = if in_use(&own).contains(&key.algorithm) {
                None
            } else {
                Some(self.now().plus(self.token_lifetime(&own)))
            };
            if leaves_at.is_some() == key.leaves_at.is_some() {
                continue;
            }
            let change = self.db().write(move |tx| {
                let id = key.id.clone();
                Box::pin(async move { keys::set_leaving(tx, &id, leaves_at).await })
            });
            change.await?;
        }
        self.keyring().note_tended(revision);
        Ok(())
    }
}

fn in_use(clients: &[Client]) -> Vec<SigningAlgorithm> {
    let is_used = |algorithm: &SigningAlgorithm| {
        SigningAlgorithm::STANDARD.contains(algorithm)
            || clients.iter().any(|client| !client.disabled && client.metadata.uses(*algorithm))
    };
    SigningAlgorithm::ALL.into_iter().filter(is_used).collect()
}
