//! Wishes for a reset mail that nobody has looked at yet.
//!
//! Why they wait: whether there is such a user must not be told by how long an answer takes. So the request writes one
//! row, always, and the rest happens after the answer. Whoever removes the row, and nobody else, has answered it.

use crate::domain::ids::ResetRequestId;
use crate::domain::time::Time;
use crate::storage::core::error::Result;
use crate::storage::core::tx::Tx;

/// How many may wait; what is asked for beyond that is lost.
const QUEUE: i64 = 10_000;

/// A wish that waits.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Waiting {
    /// Its row.
    pub id: ResetRequestId,
    /// What was typed, and where, sealed for its row.
    pub sealed: String,
    /// When.
    pub created_at: Time,
}

/// The row that a wish is sealed for.
pub fn row(id: &ResetRequestId) -> String {
    format!("reset_requests/{id}")
}

/// Notes a wish; `false`: too many wait.
pub async fn insert(tx: &mut Tx<'_>, new: &Waiting) -> Result<bool> {
    let written = execute!(
        tx,
        "INSERT INTO reset_requests (id, sealed, created_at)
         SELECT $1, $2, $3 WHERE (SELECT COUNT(*) FROM reset_requests) < $4",
        &new.id,
        &new.sealed,
        new.created_at,
        QUEUE,
    )?;
    tx.note_message();
    Ok(written == 1)
}

/// The oldest that wait.
pub async fn oldest(tx: &mut Tx<'_>, limit: i64) -> Result<Vec<Waiting>> {
    on!(tx, conn => sqlx::query_as(
        "SELECT id, sealed, created_at FROM reset_requests ORDER BY created_at, id LIMIT $1")
        .bind(limit).fetch_all(conn))
}

/// Takes a wish to answer it; of two at once, one gets `true`.
pub async fn take(tx: &mut Tx<'_>, id: &ResetRequestId) -> Result<bool> {
    Ok(execute!(tx, "DELETE FROM reset_requests WHERE id = $1", id)? == 1)
}
