//! The key of pairwise identifiers: generated when first needed, sealed at rest, shared by all nodes and never changed.
//! It is part of the database, not of an export.

use futures_util::FutureExt;

use super::Idp;
use super::Internal;
use crate::crypto::pairwise::PairwiseKey;
use crate::crypto::random;
use crate::storage::sealed_salts;

const SALT: &str = "pairwise";
/// The row name that the salt is sealed for.
const ROW: &str = "salts/pairwise";

impl Idp {
    /// The key of pairwise identifiers.
    pub(crate) async fn pairwise_key(&self) -> Result<&PairwiseKey, Internal> {
        let known = &self.parts().pairwise;
        if let Some(key) = known.get() {
            return Ok(key);
        }
        // Concurrent callers each read it: waiting for another caller would depend on that one being polled.
        let key = self.kept_key().boxed().await?;
        Ok(known.get_or_init(|| key))
    }

    async fn kept_key(&self) -> Result<PairwiseKey, Internal> {
        let sealed = match self.stored_salt().await? {
            Some(sealed) => sealed,
            None => self.make_salt().await?,
        };
        let salt = self.sealer().open(&sealed, ROW)?;
        PairwiseKey::new(&salt).map_err(|error| Internal::fault(&error))
    }

    /// Generates the salt; if several nodes do so concurrently, all then read the first one stored.
    async fn make_salt(&self) -> Result<String, Internal> {
        let sealed = self.sealer().seal(&random::bytes::<{ PairwiseKey::LENGTH }>(), ROW)?;
        let insert = self.db().write(move |tx| {
            let sealed = sealed.clone();
            Box::pin(async move { sealed_salts::insert_first(tx, SALT, &sealed).await })
        });
        insert.await?;
        self.stored_salt().await?.ok_or_else(|| Internal::fault(&"a salt just stored is missing"))
    }

    async fn stored_salt(&self) -> Result<Option<String>, Internal> {
        Ok(sealed_salts::by_name(&mut self.db().read().tx(), SALT).await?)
    }
}
