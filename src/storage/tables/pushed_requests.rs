//! Authorization requests that clients pushed (RFC 9126): each begins one login, and is known as long as that lasts.
//!
//! Why it is kept after its use: whoever reloads the page that it led to, in the same browser, finds that login again.

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
    /// What was asked, already checked. It names client and issuer.
    pub request: AuthorizationRequest,
    /// Of client and tenant, when it was pushed.
    pub epoch: Epoch,
    /// The login that was begun with it; `None`: nobody came with it yet.
    pub login: Option<InteractionId>,
}

#[derive(sqlx::FromRow)]
struct Row {
    request: Json<AuthorizationRequest>,
    epoch: Epoch,
    login: Option<InteractionId>,
}

/// Adds a request, unless its client has `cap` of them already that nobody came with; `false`: it has.
///
/// Nodes that do this at once may all see one place left, so there may be a few more: the cap is against floods.
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

/// The request with this hash, unless it has expired. Whether issuer and client are the right ones, the caller checks.
pub async fn by_hash(tx: &mut Tx<'_>, hash: &Hash, now: Time) -> Result<Option<Pushed>> {
    let row: Option<Row> = on!(tx, conn => sqlx::query_as(
        "SELECT request, epoch, login FROM pushed_requests WHERE hash = $1 AND expires_at > $2")
        .bind(hash).bind(now).fetch_optional(conn))?;
    Ok(row.map(|row| Pushed { request: row.request.0, epoch: row.epoch, login: row.login }))
}

/// Begins a login with a request; of all who try, one gets `true`. The row is kept until the login is over.
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
