//! Pushed authorization requests (RFC 9126): each starts one login, and its row is kept as long as that login lasts.
//!
//! Why it is kept after its use: reloading the page that it led to, in the same browser, continues the same login.

use crate::domain::epoch::Epoch;
use crate::domain::ids::{Hash, InteractionId};
use crate::domain::request::AuthorizationRequest;
use crate::domain::time::Time;
use crate::storage::core::error::Result;
use crate::storage::core::json::Json;
use crate::storage::core::tx::Tx;

/// A pushed request.
#[derive(Clone, Debug, PartialEq)]
pub struct Pushed {
    /// The validated request. It contains client and issuer.
    pub request: AuthorizationRequest,
    /// The sum of the epochs of client and tenant at the time of the push.
    pub epoch: Epoch,
    /// The login that was started with it; `None`: not used yet.
    pub login: Option<InteractionId>,
}

#[derive(sqlx::FromRow)]
struct Row {
    request: Json<AuthorizationRequest>,
    epoch: Epoch,
    login: Option<InteractionId>,
}

/// Adds a request; `false`: the client already has `cap` unused ones.
///
/// Concurrent requests may exceed the cap slightly, which is acceptable for a limit against floods.
pub async fn insert(
    tx: &mut Tx<'_>,
    hash: &Hash,
    request: &AuthorizationRequest,
    epoch: Epoch,
    expires_at: Time,
    now: Time,
    cap: u32,
) -> Result<bool> {
    let inserted = execute!(
        tx,
        "INSERT INTO pushed_requests (hash, issuer_id, client_issuer_id, client_id, request, expires_at, epoch)
         SELECT $1, $2, $3, $4, $5, $6, $9 WHERE $8 >
             (SELECT COUNT(*) FROM pushed_requests
              WHERE client_issuer_id = $3 AND client_id = $4 AND login IS NULL AND expires_at > $7)",
        hash,
        &request.issuer,
        request.issuer.home(),
        &request.client,
        Json(request),
        expires_at,
        now,
        i64::from(cap),
        epoch,
    )?;
    Ok(inserted == 1)
}

/// The unexpired request with this hash. The caller checks issuer and client.
pub async fn by_hash(tx: &mut Tx<'_>, hash: &Hash, now: Time) -> Result<Option<Pushed>> {
    let row: Option<Row> = on!(tx, conn => sqlx::query_as(
        "SELECT request, epoch, login FROM pushed_requests WHERE hash = $1 AND expires_at > $2")
        .bind(hash).bind(now).fetch_optional(conn))?;
    Ok(row.map(|row| Pushed { request: row.request.0, epoch: row.epoch, login: row.login }))
}

/// Starts a login with a request; of concurrent callers one gets `true`. The row is kept until the login ends.
pub async fn claim(
    tx: &mut Tx<'_>,
    hash: &Hash,
    login: &InteractionId,
    login_ends: Time,
    now: Time,
) -> Result<bool> {
    let sql = "UPDATE pushed_requests SET login = $2, expires_at = $3
               WHERE hash = $1 AND login IS NULL AND expires_at > $4";
    Ok(execute!(tx, sql, hash, login, login_ends, now)? == 1)
}
