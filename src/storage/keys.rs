//! The signing keys of issuers; the private part is sealed.

use super::error::Result;
use super::json::Word;
use super::{Tx, revision};
use crate::domain::client::SigningAlgorithm;
use crate::domain::ids::{IssuerId, KeyId};
use crate::domain::time::Time;

/// A key as stored.
#[derive(Clone, Debug)]
pub struct StoredKey {
    /// The `kid`.
    pub id: KeyId,
    /// Whose it is.
    pub issuer: IssuerId,
    /// What it signs with.
    pub algorithm: SigningAlgorithm,
    /// The private part, sealed for its row.
    pub sealed: String,
    /// When it was made.
    pub created_at: Time,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: KeyId,
    issuer_id: IssuerId,
    algorithm: Word<SigningAlgorithm>,
    sealed: String,
    created_at: Time,
}

impl From<Row> for StoredKey {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            issuer: row.issuer_id,
            algorithm: row.algorithm.0,
            sealed: row.sealed,
            created_at: row.created_at,
        }
    }
}

/// The keys of an issuer.
pub async fn of_issuer(tx: &mut Tx<'_>, issuer: &IssuerId) -> Result<Vec<StoredKey>> {
    let rows: Vec<Row> = on!(tx, conn => sqlx::query_as(
        "SELECT id, issuer_id, algorithm, sealed, created_at FROM signing_keys WHERE issuer_id = $1
         ORDER BY created_at, id").bind(issuer).fetch_all(conn))?;
    Ok(rows.into_iter().map(StoredKey::from).collect())
}

/// Stores an issuer's first key of an algorithm; of several makers at once, one gets `true`, and its key stands.
pub async fn insert_first(tx: &mut Tx<'_>, key: &StoredKey) -> Result<bool> {
    let inserted = execute!(
        tx,
        "INSERT INTO signing_keys (id, issuer_id, tenant_id, algorithm, sealed, created_at)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (issuer_id, algorithm) DO NOTHING",
        &key.id,
        &key.issuer,
        key.issuer.tenant(),
        Word(key.algorithm),
        &key.sealed,
        key.created_at,
    )?;
    if inserted == 1 {
        revision::bump(tx).await?;
    }
    Ok(inserted == 1)
}
