//! The signing keys of issuers, with sealed private keys.
//!
//! The state of a key follows from the time, not from a job: a rotation is one insert, so that a key to sign with
//! exists at every moment, and all nodes agree as far as their clocks do.

use crate::domain::client::SigningAlgorithm;
use crate::domain::ids::{IssuerId, KeyId};
use crate::domain::time::Time;
use crate::storage::core::error::Result;
use crate::storage::core::json::Word;
use crate::storage::core::revision;
use crate::storage::core::tx::Tx;

/// A signing key as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredKey {
    /// The `kid`.
    pub id: KeyId,
    /// The issuer that signs with it.
    pub issuer: IssuerId,
    /// Its algorithm.
    pub algorithm: SigningAlgorithm,
    /// The number of earlier keys of this issuer and algorithm.
    pub generation: i64,
    /// The private key, sealed for its row.
    pub sealed: String,
    /// The time of its creation.
    pub created_at: Time,
    /// The time from which it signs.
    pub signs_from: Time,
    /// The time at which it leaves the key set; set when there is a successor.
    pub leaves_at: Option<Time>,
    /// Whether it is in the key set.
    pub published: bool,
}

/// The state of a signing key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// Published in advance, so that clients know it before it signs.
    Next,
    /// The key that signs.
    Active,
    /// No longer signs; its signatures are still verified.
    Retired,
}

impl StoredKey {
    /// Returns the state of this key among all keys of its issuer.
    pub fn state(&self, all: &[Self], now: Time) -> KeyState {
        match signing(all, self.algorithm, now) {
            Some(active) if active.id == self.id => KeyState::Active,
            _ if self.signs_from > now => KeyState::Next,
            _ => KeyState::Retired,
        }
    }
}

/// The key that signs with this algorithm now: the youngest published one with `signs_from` in the past. If the clock
/// was set back to before all of them, the oldest.
pub fn signing(all: &[StoredKey], algorithm: SigningAlgorithm, now: Time) -> Option<&StoredKey> {
    let mine = || all.iter().filter(|key| key.algorithm == algorithm && key.published);
    let ready = mine().filter(|key| key.signs_from <= now).max_by_key(|key| key.generation);
    ready.or_else(|| mine().min_by_key(|key| key.generation))
}

/// The generation of the next key of this algorithm.
pub fn next_generation(all: &[StoredKey], algorithm: SigningAlgorithm) -> i64 {
    let mine = all.iter().filter(|key| key.algorithm == algorithm);
    mine.map(|key| key.generation + 1).max().unwrap_or_default()
}

#[derive(sqlx::FromRow)]
struct Row {
    id: KeyId,
    issuer_id: IssuerId,
    algorithm: Word<SigningAlgorithm>,
    generation: i64,
    sealed: String,
    created_at: Time,
    signs_from: Time,
    leaves_at: Option<Time>,
    published: bool,
}

impl From<Row> for StoredKey {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            issuer: row.issuer_id,
            algorithm: row.algorithm.0,
            generation: row.generation,
            sealed: row.sealed,
            created_at: row.created_at,
            signs_from: row.signs_from,
            leaves_at: row.leaves_at,
            published: row.published,
        }
    }
}

/// The keys of an issuer, the oldest first.
pub async fn of_issuer(tx: &mut Tx<'_>, issuer: &IssuerId) -> Result<Vec<StoredKey>> {
    let rows: Vec<Row> = on!(tx, conn => sqlx::query_as(
        "SELECT id, issuer_id, algorithm, generation, sealed, created_at, signs_from, leaves_at, published
         FROM signing_keys WHERE issuer_id = $1 ORDER BY created_at, generation, id")
        .bind(issuer).fetch_all(conn))?;
    Ok(rows.into_iter().map(StoredKey::from).collect())
}

/// All keys of all issuers.
pub async fn all(tx: &mut Tx<'_>) -> Result<Vec<StoredKey>> {
    let rows: Vec<Row> = on!(tx, conn => sqlx::query_as(
        "SELECT id, issuer_id, algorithm, generation, sealed, created_at, signs_from, leaves_at, published
         FROM signing_keys ORDER BY issuer_id, algorithm, generation").fetch_all(conn))?;
    Ok(rows.into_iter().map(StoredKey::from).collect())
}

/// The published keys without successor, of the algorithms that only some clients use.
pub async fn optional(tx: &mut Tx<'_>) -> Result<Vec<StoredKey>> {
    let rows: Vec<Row> = on!(tx, conn => sqlx::query_as(
        "SELECT id, issuer_id, algorithm, generation, sealed, created_at, signs_from, leaves_at, published
         FROM signing_keys k WHERE published AND algorithm NOT IN ('RS256', 'ES256')
             AND NOT EXISTS (SELECT 1 FROM signing_keys younger WHERE younger.issuer_id = k.issuer_id
                 AND younger.algorithm = k.algorithm AND younger.generation > k.generation)
         ORDER BY issuer_id, algorithm").fetch_all(conn))?;
    Ok(rows.into_iter().map(StoredKey::from).collect())
}

/// Sets when a key without successor leaves the key set; `None` = it stays. A key that has left is not published again.
pub async fn set_leaving(tx: &mut Tx<'_>, id: &KeyId, leaves_at: Option<Time>) -> Result<u64> {
    execute!(
        tx,
        "UPDATE signing_keys SET leaves_at = $2 WHERE id = $1 AND published
             AND NOT EXISTS (SELECT 1 FROM signing_keys younger WHERE younger.issuer_id = signing_keys.issuer_id
                 AND younger.algorithm = signing_keys.algorithm AND younger.generation > signing_keys.generation)",
        id,
        leaves_at,
    )
}

/// The issuers and algorithms due for rotation: the youngest key began to sign at this time or before, and has no end.
pub async fn due(tx: &mut Tx<'_>, since: Time, limit: i64) -> Result<Vec<(IssuerId, SigningAlgorithm)>> {
    let rows: Vec<(IssuerId, Word<SigningAlgorithm>)> = on!(tx, conn => sqlx::query_as(
        "SELECT issuer_id, algorithm FROM signing_keys WHERE leaves_at IS NULL GROUP BY issuer_id, algorithm
         HAVING MAX(signs_from) <= $1 LIMIT $2").bind(since).bind(limit).fetch_all(conn))?;
    Ok(rows.into_iter().map(|(issuer, algorithm)| (issuer, algorithm.0)).collect())
}

/// Stores a key of a new generation; of concurrent callers one gets `true`, and its key is kept.
pub async fn insert_first(tx: &mut Tx<'_>, key: &StoredKey) -> Result<bool> {
    let inserted = execute!(
        tx,
        "INSERT INTO signing_keys (id, issuer_id, tenant_id, algorithm, generation, sealed, created_at, signs_from,
             leaves_at, published)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, NULL, TRUE)
         ON CONFLICT (issuer_id, algorithm, generation) DO NOTHING",
        &key.id,
        &key.issuer,
        key.issuer.tenant(),
        Word(key.algorithm),
        key.generation,
        &key.sealed,
        key.created_at,
        key.signs_from,
    )?;
    if inserted == 1 {
        revision::bump(tx).await?;
    } else {
        // Another node's key was stored, which this node may not have read yet.
        tx.note_catalogue_change();
    }
    Ok(inserted == 1)
}

/// Stores the successor of the existing keys, and when those leave the key set.
pub async fn succeed(tx: &mut Tx<'_>, key: &StoredKey, leave_at: Time) -> Result<bool> {
    if !insert_first(tx, key).await? {
        return Ok(false);
    }
    execute!(
        tx,
        "UPDATE signing_keys SET leaves_at = $4
         WHERE issuer_id = $1 AND algorithm = $2 AND generation < $3 AND leaves_at IS NULL",
        &key.issuer,
        Word(key.algorithm),
        key.generation,
        leave_at,
    )?;
    Ok(true)
}

/// Stores a key and unpublishes all earlier ones at once: their signatures are no longer accepted.
pub async fn replace(tx: &mut Tx<'_>, key: &StoredKey) -> Result<bool> {
    if !insert_first(tx, key).await? {
        return Ok(false);
    }
    execute!(
        tx,
        "DELETE FROM signing_keys WHERE issuer_id = $1 AND algorithm = $2 AND generation < $3",
        &key.issuer,
        Word(key.algorithm),
        key.generation,
    )?;
    Ok(true)
}

/// Removes all keys of an issuer and algorithm.
pub async fn remove(tx: &mut Tx<'_>, issuer: &IssuerId, algorithm: SigningAlgorithm) -> Result<()> {
    revision::bump(tx).await?;
    execute!(
        tx,
        "DELETE FROM signing_keys WHERE issuer_id = $1 AND algorithm = $2",
        issuer,
        Word(algorithm),
    )?;
    Ok(())
}

/// Unpublishes keys that have reached `leaves_at`, and deletes those that left before `forgotten`.
pub async fn retire(tx: &mut Tx<'_>, now: Time, forgotten: Time) -> Result<u64> {
    let left = "UPDATE signing_keys SET published = FALSE WHERE leaves_at <= $1 AND published";
    let changed =
        execute!(tx, left, now)? + execute!(tx, "DELETE FROM signing_keys WHERE leaves_at <= $1", forgotten)?;
    if changed > 0 {
        revision::bump(tx).await?;
    }
    Ok(changed)
}
