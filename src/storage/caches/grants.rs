//! Cache of the grants and users behind access tokens.
//!
//! Every use of a token still reads one short row from the store: whether the token is active, and the version of its
//! user. The user is read again in full only if the version differs. The contents of a grant or an opaque token never
//! change.

use std::sync::Arc;

use quick_cache::sync::Cache;

use crate::domain::grant::OpaqueToken;
use crate::domain::ids::{GrantId, Hash, IssuerId};
use crate::domain::time::Time;
use crate::storage::core::db::Db;
use crate::storage::core::error::Result;
use crate::storage::tables::access_tokens;
use crate::storage::tables::grants::{self, GrantWithUser};

/// Maximum entries of each kind; beyond it each use reads the rows in full.
const ENTRIES: usize = 2048;

/// An opaque token, with grant and user if it was issued for a user.
type Opaque = (Arc<OpaqueToken>, Option<Arc<GrantWithUser>>);

/// The cached grants and opaque tokens of one provider.
pub struct GrantCache {
    db: Db,
    grants: Cache<GrantId, Arc<GrantWithUser>>,
    tokens: Cache<Hash, Opaque>,
}

impl GrantCache {
    /// An empty cache.
    pub fn new(db: Db) -> Self {
        Self { db, grants: Cache::new(ENTRIES), tokens: Cache::new(ENTRIES) }
    }

    /// The grant and user of the token with this `jti`; `None` if the token or its grant has ended.
    pub async fn of_grant(&self, id: &GrantId, jti: &str) -> Result<Option<Arc<GrantWithUser>>> {
        let mut reader = self.db.read();
        let tx = &mut reader.tx();
        if let Some(known) = self.grants.get(id) {
            match grants::user_version(tx, id, Some(jti)).await? {
                None => return Ok(None),
                Some(version) if version == known.version => return Ok(Some(known)),
                Some(_) => {}
            }
        }
        let found = grants::with_user(tx, id, Some(jti)).await?.map(Arc::new);
        if let Some(grant) = &found {
            self.grants.insert(id.clone(), grant.clone());
        }
        Ok(found)
    }

    /// The opaque token of this issuer with this hash, with grant and user; `None` if it has ended.
    pub async fn of_token(&self, issuer: &IssuerId, hash: &Hash, now: Time) -> Result<Option<Opaque>> {
        let mut reader = self.db.read();
        let tx = &mut reader.tx();
        if let Some(known) = self.tokens.get(hash) {
            match access_tokens::user_version(tx, issuer, hash, now).await? {
                None => return Ok(None),
                Some(version) if version == known.1.as_ref().map(|grant| grant.version) => {
                    return Ok(Some(known));
                }
                Some(_) => {}
            }
        }
        let found = access_tokens::alive(tx, issuer, hash, now).await?;
        let found = found.map(|(token, grant)| (Arc::new(token), grant.map(Arc::new)));
        if let Some(opaque) = &found {
            self.tokens.insert(hash.clone(), opaque.clone());
        }
        Ok(found)
    }
}
