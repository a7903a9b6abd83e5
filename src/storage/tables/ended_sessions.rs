//! The end of sessions: the only statements that delete rows of `sessions`.
//!
//! Each of them also writes an `ended_sessions` row per session in which clients were signed in, so that no session ends
//! without its clients being told (see [`super::logout_notices`]). Statements that would delete sessions by a foreign key,
//! those on users and tenants, end the sessions here first.

use std::collections::BTreeSet;

use crate::domain::ids::{ClientId, IssuerId, ResellerId, SessionId, TenantId, UpstreamId, UserId};
use crate::domain::time::Time;
use crate::storage::core::error::Result;
use crate::storage::core::json::Json;
use crate::storage::core::tx::Tx;

/// A session that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndedSession {
    /// The value of `sid`.
    pub id: SessionId,
    /// The issuer that it was bound to.
    pub issuer: IssuerId,
    /// The user who was signed in.
    pub user: UserId,
    /// The clients that were signed in with it.
    pub clients: BTreeSet<ClientId>,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: SessionId,
    issuer_id: IssuerId,
    user_id: UserId,
    clients: Json<BTreeSet<ClientId>>,
}

impl From<Row> for EndedSession {
    fn from(row: Row) -> Self {
        Self { id: row.id, issuer: row.issuer_id, user: row.user_id, clients: row.clients.0 }
    }
}

/// Deletes the sessions that meet the condition.
macro_rules! delete {
    ($condition:literal) => {
        sqlx::query_as(concat!(
            "DELETE FROM sessions WHERE ",
            $condition,
            " RETURNING id, issuer_id, user_id, clients"
        ))
    };
}

/// Ends the session; of two at once, one gets it.
pub async fn end(tx: &mut Tx<'_>, id: &SessionId) -> Result<Option<EndedSession>> {
    let rows = on!(tx, conn => delete!("id = $1").bind(id).fetch_all(conn))?;
    Ok(announce(tx, rows).await?.pop())
}

/// Ends the session if it is this user's.
pub async fn end_own(tx: &mut Tx<'_>, user: &UserId, id: &SessionId) -> Result<Option<EndedSession>> {
    let rows = on!(tx, conn => delete!("id = $1 AND user_id = $2").bind(id).bind(user).fetch_all(conn))?;
    Ok(announce(tx, rows).await?.pop())
}

/// Ends every session of the user but one.
pub async fn end_others(
    tx: &mut Tx<'_>,
    user: &UserId,
    keep: Option<&SessionId>,
) -> Result<Vec<EndedSession>> {
    let keep = keep.map_or("", SessionId::as_str);
    let rows = on!(tx, conn => delete!("user_id = $1 AND id <> $2").bind(user).bind(keep).fetch_all(conn))?;
    announce(tx, rows).await
}

/// Ends every session of the tenant's users.
pub async fn end_of_tenant(tx: &mut Tx<'_>, tenant: &TenantId) -> Result<Vec<EndedSession>> {
    let rows = on!(tx, conn => delete!("user_id IN (SELECT id FROM users WHERE tenant_id = $1)")
        .bind(tenant).fetch_all(conn))?;
    announce(tx, rows).await
}

/// Ends every session of the users who sign in at this upstream provider.
pub async fn end_at_upstream(tx: &mut Tx<'_>, upstream: &UpstreamId) -> Result<Vec<EndedSession>> {
    let rows = on!(tx, conn => delete!("user_id IN (SELECT id FROM users WHERE upstream_id = $1)")
        .bind(upstream).fetch_all(conn))?;
    announce(tx, rows).await
}

/// Ends every session of the tenant's users who sign in at providers of this reseller.
pub async fn end_at_reseller(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    reseller: &ResellerId,
) -> Result<Vec<EndedSession>> {
    let rows = on!(tx, conn => delete!(
        "user_id IN (SELECT id FROM users WHERE tenant_id = $1
             AND upstream_id IN (SELECT id FROM upstreams WHERE reseller_id = $2))")
        .bind(tenant).bind(reseller).fetch_all(conn))?;
    announce(tx, rows).await
}

/// Ends at most `limit` sessions that have expired.
pub async fn end_expired(tx: &mut Tx<'_>, now: Time, limit: i64) -> Result<Vec<EndedSession>> {
    let rows = on!(tx, conn => delete!("id IN (SELECT id FROM sessions WHERE expires_at <= $1 LIMIT $2)")
        .bind(now).bind(limit).fetch_all(conn))?;
    announce(tx, rows).await
}

/// Writes down which clients have to be told.
async fn announce(tx: &mut Tx<'_>, rows: Vec<Row>) -> Result<Vec<EndedSession>> {
    let ended: Vec<EndedSession> = rows.into_iter().map(EndedSession::from).collect();
    for session in ended.iter().filter(|session| !session.clients.is_empty()) {
        execute!(
            tx,
            "INSERT INTO ended_sessions (id, issuer_id, user_id, clients) VALUES ($1, $2, $3, $4)",
            &session.id,
            &session.issuer,
            &session.user,
            Json(&session.clients),
        )?;
        tx.note_message();
    }
    Ok(ended)
}

/// At most `limit` sessions that have ended and whose clients have not been looked up.
pub async fn unannounced(tx: &mut Tx<'_>, limit: i64) -> Result<Vec<EndedSession>> {
    let rows: Vec<Row> = on!(tx, conn => sqlx::query_as(
        "SELECT id, issuer_id, user_id, clients FROM ended_sessions ORDER BY id LIMIT $1")
        .bind(limit).fetch_all(conn))?;
    Ok(rows.into_iter().map(EndedSession::from).collect())
}

/// Claims an ended session in order to write its notices; of several nodes, one gets `true`.
pub async fn claim(tx: &mut Tx<'_>, id: &SessionId) -> Result<bool> {
    Ok(execute!(tx, "DELETE FROM ended_sessions WHERE id = $1", id)? == 1)
}
