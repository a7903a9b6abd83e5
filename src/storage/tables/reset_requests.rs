//! Queue of requests for a reset mail.
//!
//! Why a queue: the response time must not reveal whether the user exists. So the request always writes one row, and
//! the rest happens after the response. The worker that deletes the row processes it, so each is processed once.

use crate::domain::ids::ResetRequestId;
use crate::domain::time::Time;
use crate::storage::core::error::Result;
use crate::storage::core::tx::Tx;

/// Maximum length of the queue; further requests are dropped.
const QUEUE: i64 = 10_000;

/// A queued request.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct QueuedResetRequest {
    /// Its id.
    pub id: ResetRequestId,
    /// The user's input and the issuer, sealed for its row.
    pub sealed: String,
    /// The time of the request.
    pub created_at: Time,
}

/// The row name that a request is sealed for.
pub fn row(id: &ResetRequestId) -> String {
    format!("reset_requests/{id}")
}

/// Queues a request; `false`: the queue is full.
pub async fn insert(tx: &mut Tx<'_>, new: &QueuedResetRequest) -> Result<bool> {
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

/// The oldest queued requests.
pub async fn oldest(tx: &mut Tx<'_>, limit: i64) -> Result<Vec<QueuedResetRequest>> {
    on!(tx, conn => sqlx::query_as(
        "SELECT id, sealed, created_at FROM reset_requests ORDER BY created_at, id LIMIT $1")
        .bind(limit).fetch_all(conn))
}

/// Removes a request in order to process it; of concurrent callers one gets `true`.
pub async fn take(tx: &mut Tx<'_>, id: &ResetRequestId) -> Result<bool> {
    Ok(execute!(tx, "DELETE FROM reset_requests WHERE id = $1", id)? == 1)
}
