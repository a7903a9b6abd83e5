//! Links to choose a new password, found by the hash of the secret in the link, or of the ticket that replaces it.

use super::users;
use crate::domain::epoch::Epoch;
use crate::domain::ids::{Hash, IssuerId, UserId};
use crate::domain::reset::{Reset, ResetProgress, ResetPurpose};
use crate::domain::time::Time;
use crate::storage::core::error::Result;
use crate::storage::core::json::{Json, Word};
use crate::storage::core::tx::Tx;

#[derive(sqlx::FromRow)]
struct Row {
    link: Hash,
    ticket: Option<Hash>,
    issuer_id: IssuerId,
    user_id: UserId,
    purpose: Word<ResetPurpose>,
    epoch: Epoch,
    progress: Json<ResetProgress>,
    version: i64,
    expires_at: Time,
}

impl From<Row> for Reset {
    fn from(row: Row) -> Self {
        Self {
            link: row.link,
            ticket: row.ticket,
            issuer: row.issuer_id,
            user: row.user_id,
            purpose: row.purpose.0,
            epoch: row.epoch,
            progress: row.progress.0,
            version: row.version,
            expires_at: row.expires_at,
        }
    }
}

/// Adds a link and deletes the user's other unused links; of two concurrent calls one link remains.
pub async fn replace(tx: &mut Tx<'_>, new: &Reset) -> Result<()> {
    users::hold(tx, &new.user).await?;
    execute!(tx, "DELETE FROM resets WHERE user_id = $1 AND ticket IS NULL", &new.user)?;
    execute!(
        tx,
        "INSERT INTO resets (link, issuer_id, user_id, purpose, password_version, epoch, progress, version, expires_at)
         VALUES ($1, $2, $3, $4, 0, $5, $6, $7, $8)",
        &new.link,
        &new.issuer,
        &new.user,
        Word(new.purpose),
        new.epoch,
        Json(&new.progress),
        new.version,
        new.expires_at,
    )?;
    Ok(())
}

/// The reset that this secret opens at this issuer: an unused link, or a ticket.
pub async fn by_secret(
    tx: &mut Tx<'_>,
    issuer: &IssuerId,
    secret: &Hash,
    now: Time,
) -> Result<Option<Reset>> {
    let row: Option<Row> = on!(tx, conn => sqlx::query_as(
        "SELECT link, ticket, issuer_id, user_id, purpose, epoch, progress, version, expires_at
         FROM resets
         WHERE ((link = $1 AND ticket IS NULL) OR ticket = $1) AND issuer_id = $2 AND expires_at > $3")
        .bind(secret).bind(issuer).bind(now).fetch_optional(conn))?;
    Ok(row.map(Reset::from))
}

/// Marks the link as used; from now on its ticket opens the reset. Of concurrent callers one gets `true`.
pub async fn use_up(tx: &mut Tx<'_>, reset: &Reset, now: Time) -> Result<bool> {
    let used = execute!(
        tx,
        "UPDATE resets SET ticket = $2, progress = $3, expires_at = $4, version = version + 1
         WHERE link = $1 AND ticket IS NULL AND expires_at > $5",
        &reset.link,
        &reset.ticket,
        Json(&reset.progress),
        reset.expires_at,
        now,
    )?;
    Ok(used == 1)
}

/// Stores the changed progress. `false`: another request has changed it since it was read (optimistic lock).
pub async fn save(tx: &mut Tx<'_>, reset: &Reset) -> Result<bool> {
    let sql = "UPDATE resets SET progress = $3, version = version + 1 WHERE link = $1 AND version = $2";
    Ok(execute!(tx, sql, &reset.link, reset.version, Json(&reset.progress))? == 1)
}

/// Raises its epoch along with the user's, so that it stays valid.
pub async fn carry_over(tx: &mut Tx<'_>, link: &Hash) -> Result<()> {
    execute!(tx, "UPDATE resets SET epoch = epoch + 1 WHERE link = $1", link)?;
    Ok(())
}

/// Deletes a reset.
pub async fn remove(tx: &mut Tx<'_>, link: &Hash) -> Result<bool> {
    Ok(execute!(tx, "DELETE FROM resets WHERE link = $1", link)? == 1)
}

/// Deletes all resets of the user, used or not.
pub async fn remove_all(tx: &mut Tx<'_>, user: &UserId) -> Result<u64> {
    execute!(tx, "DELETE FROM resets WHERE user_id = $1", user)
}
