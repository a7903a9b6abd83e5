//! Logins in progress. Columns hold what statements decide by; the rest is JSON, so that a new member needs no
//! migration.

use std::borrow::Cow;

use crate::domain::ids::{Hash, InteractionId, IssuerId};
use crate::domain::interaction::Interaction;
use crate::domain::time::Time;
use crate::storage::core::error::{Error, Result};
use crate::storage::core::json::Json;
use crate::storage::core::queue::ExpectedRows;
use crate::storage::core::tx::Tx;

#[derive(sqlx::FromRow)]
struct Row {
    browser: Option<Hash>,
    network: Option<Hash>,
    state: Json<Interaction>,
    version: i64,
}

impl From<Row> for Interaction {
    fn from(row: Row) -> Self {
        Self { browser: row.browser, network: row.network, version: row.version, ..row.state.0 }
    }
}

/// Maximum logins of one network that wait for their first factor.
pub const OF_NETWORK: i64 = 500;
/// Maximum of such logins in all; beyond it [`trim`] removes the oldest.
pub const WAITING: i64 = 32_768;
/// Maximum size of a row, in bytes, before the first factor is proved.
const BYTES: usize = 1024;

/// Returns whether the row is small enough to wait for a first factor. Both hashes are counted, set or not.
pub fn fits(interaction: &Interaction) -> Result<bool> {
    const HASHES: usize = 2 * 43;
    const NUMBERS: usize = 2 * 8;
    let state = serde_json::to_string(interaction).map_err(Error::encoding)?;
    let ids = interaction.id.as_str().len() + interaction.issuer.as_str().len();
    Ok(ids + HASHES + NUMBERS + state.len() <= BYTES)
}

/// The JSON that is stored of a login.
fn state(interaction: &Interaction) -> Cow<'_, Interaction> {
    if interaction.carried { Cow::Owned(interaction.abridged()) } else { Cow::Borrowed(interaction) }
}

/// Adds a login. [`Error::Conflict`] if it counts for a network of which [`OF_NETWORK`] logins wait.
///
/// Concurrent requests may exceed the limit slightly, which is acceptable for a limit against floods.
pub fn queue_insert(tx: &mut Tx<'_>, interaction: &Interaction) -> Result<()> {
    queue!(
        tx,
        ExpectedRows::One,
        "INSERT INTO interactions (id, issuer_id, browser, state, version, expires_at, network)
         SELECT $1, $2, $3, $4, $5, $6, $7
         WHERE $7 IS NULL OR $8 > (SELECT COUNT(*) FROM interactions WHERE network = $7 AND expires_at > $9)",
        &interaction.id,
        &interaction.issuer,
        &interaction.browser,
        Json(&*state(interaction)),
        interaction.version,
        interaction.expires_at,
        &interaction.network,
        OF_NETWORK,
        interaction.requested_at,
    );
    Ok(())
}

/// Returns whether this network has reached [`OF_NETWORK`].
pub async fn is_full(tx: &mut Tx<'_>, network: &Hash, now: Time) -> Result<bool> {
    let waiting: i64 = on!(tx, conn => sqlx::query_scalar(
        "SELECT COUNT(*) FROM interactions WHERE network = $1 AND expires_at > $2")
        .bind(network).bind(now).fetch_one(conn))?;
    Ok(waiting >= OF_NETWORK)
}

/// Removes this browser's oldest login that counts for this network; `false` if it has no such login.
pub async fn make_room(tx: &mut Tx<'_>, network: &Hash, browser: &Hash) -> Result<bool> {
    let sql = "DELETE FROM interactions WHERE id IN (
                   SELECT id FROM interactions WHERE network = $1 AND browser = $2 ORDER BY expires_at, id LIMIT 1)";
    Ok(execute!(tx, sql, network, browser)? == 1)
}

/// Removes up to `limit` logins that wait for their first factor, keeping the newest `keep`.
pub async fn trim(tx: &mut Tx<'_>, keep: i64, limit: i64) -> Result<u64> {
    let sql = "DELETE FROM interactions WHERE id IN (
                   SELECT id FROM interactions WHERE network IS NOT NULL ORDER BY expires_at DESC LIMIT $2 OFFSET $1)";
    execute!(tx, sql, keep, limit)
}

/// The unexpired login with this id at this issuer. The caller checks the browser.
pub async fn by_id(
    tx: &mut Tx<'_>,
    id: &InteractionId,
    issuer: &IssuerId,
    now: Time,
) -> Result<Option<Interaction>> {
    let row: Option<Row> = on!(tx, conn => sqlx::query_as(
        "SELECT browser, network, state, version FROM interactions WHERE id = $1 AND issuer_id = $2 AND expires_at > $3")
        .bind(id).bind(issuer).bind(now).fetch_optional(conn))?;
    Ok(row.map(Interaction::from))
}

/// Binds a login to a browser if it is not bound yet; of concurrent callers one wins.
pub async fn bind(tx: &mut Tx<'_>, id: &InteractionId, browser: &Hash) -> Result<bool> {
    let sql = "UPDATE interactions SET browser = $2 WHERE id = $1 AND browser IS NULL";
    Ok(execute!(tx, sql, id, browser)? == 1)
}

/// Stores a changed login and raises its version. `false`: another request has changed it since it was read (optimistic
/// lock).
pub async fn save(tx: &mut Tx<'_>, interaction: &Interaction) -> Result<bool> {
    let sql = "UPDATE interactions SET state = $3, network = $4, version = version + 1
               WHERE id = $1 AND version = $2";
    let state = state(interaction);
    Ok(execute!(tx, sql, &interaction.id, interaction.version, Json(&*state), &interaction.network)? == 1)
}

/// Locks a login until the end of this write; `false`: another request has changed it since it was read.
pub async fn hold(tx: &mut Tx<'_>, interaction: &Interaction) -> Result<bool> {
    let sql = "UPDATE interactions SET version = version WHERE id = $1 AND version = $2";
    Ok(execute!(tx, sql, &interaction.id, interaction.version)? == 1)
}

/// Deletes a login. Of concurrent callers one succeeds and may answer the client; the other's write fails with
/// [`Conflict`](crate::storage::Error::Conflict).
pub fn queue_remove(tx: &mut Tx<'_>, id: &InteractionId) -> Result<()> {
    queue!(tx, ExpectedRows::One, "DELETE FROM interactions WHERE id = $1", id);
    Ok(())
}
