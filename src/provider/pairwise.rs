//! The key of pairwise names: made when it is first needed, sealed at rest, the same on every node and for ever. It moves
//! with the database, and not with an export.

use futures_util::FutureExt;

use super::Idp;
use super::Internal;
use crate::crypto::pairwise::PairwiseKey;
use crate::crypto::random;
use crate::storage::sealed_salts;

const SALT: &str = "pairwise";
/// The row that the sealed salt is bound to.
const ROW: &str = "salts/pairwise";

impl Idp {
    /// What pairwise names are made with.
    pub(crate) async fn pairwise_key(&self) -> Result<&PairwiseKey, Internal> {
        let known = &self.parts().pairwise;
        if let Some(key) = known.get() {
            return Ok(key);
        }
        // Callers at the same moment each read it: one that waited for another would depend on that one being polled.
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

    /// Of all nodes that make one at once, each reads the first afterwards.
    async fn make_salt(&self) -> Result<String, Internal> {
        let sealed = self.sealer().seal(&random::bytes::<{ PairwiseKey::LENGTH }>(), ROW)?;
        let insert = self.db().write(move |tx| {
            let sealed = sealed.clone();
            Box::pin(async move { sealed_salts::insert_first(tx, SALT, &sealed).await })
        });
        insert.await?;
        self.stored_salt().await?.ok_or_else(|| Internal::fault(&"a salt just made is not there"))
    }

    async fn stored_salt(&self) -> Result<Option<String>, Internal> {
        Ok(sealed_salts::by_name(&mut self.db().read().tx(), SALT).await?)
    }
}
