//! Browser sessions, found by the hash of their cookie.

use std::collections::BTreeSet;

use crate::domain::epoch::Epoch;
use crate::domain::fact::{Fact, Facts};
use crate::domain::ids::{ClientId, Hash, IssuerId, SessionId, UserId};
use crate::domain::session::Session;
use crate::domain::time::Time;
use crate::storage::core::error::Result;
use crate::storage::core::json::Json;
use crate::storage::core::queue::ExpectedRows;
use crate::storage::core::tx::Tx;

#[derive(sqlx::FromRow)]
struct Row {
    id: SessionId,
    cookie: Hash,
    issuer_id: IssuerId,
    user_id: UserId,
    epoch: Epoch,
    facts: Json<Vec<Fact>>,
    created_at: Time,
    used_at: Time,
    expires_at: Time,
    user_agent: Option<String>,
    address: Option<String>,
    clients: Json<BTreeSet<ClientId>>,
}

impl From<Row> for Session {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            cookie: row.cookie,
            issuer: row.issuer_id,
            facts: Facts::restore(row.user_id.clone(), row.facts.0),
            user: row.user_id,
            epoch: row.epoch,
            created_at: row.created_at,
            used_at: row.used_at,
            expires_at: row.expires_at,
            user_agent: row.user_agent,
            address: row.address,
            clients: row.clients.0,
        }
    }
}

/// Adds a session.
pub fn queue_insert(tx: &mut Tx<'_>, session: &Session) -> Result<()> {
    queue!(
        tx,
        ExpectedRows::Any,
        "INSERT INTO sessions (id, cookie, issuer_id, user_id, facts, created_at, used_at, expires_at,
             user_agent, address, clients, epoch)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        &session.id,
        &session.cookie,
        &session.issuer,
        &session.user,
        Json(session.facts.list()),
        session.created_at,
        session.used_at,
        session.expires_at,
        &session.user_agent,
        &session.address,
        Json(&session.clients),
        session.epoch,
    );
    Ok(())
}

/// The unexpired session with this cookie at this issuer. The caller compares its epoch with the user's and the
/// tenant's, and applies the tenant's idle limit.
pub async fn by_cookie(
    tx: &mut Tx<'_>,
    issuer: &IssuerId,
    cookie: &Hash,
    now: Time,
) -> Result<Option<Session>> {
    let row: Option<Row> = on!(tx, conn => sqlx::query_as(
        "SELECT id, cookie, issuer_id, user_id, epoch, facts, created_at, used_at, expires_at, user_agent, address, clients
         FROM sessions WHERE cookie = $1 AND issuer_id = $2 AND expires_at > $3")
        .bind(cookie).bind(issuer).bind(now).fetch_optional(conn))?;
    Ok(row.map(Session::from))
}

/// The unexpired sessions of a user, the one used last first. The caller applies the tenant's idle limit.
pub async fn of_user(tx: &mut Tx<'_>, user: &UserId, now: Time) -> Result<Vec<Session>> {
    let rows: Vec<Row> = on!(tx, conn => sqlx::query_as(
        "SELECT id, cookie, issuer_id, user_id, epoch, facts, created_at, used_at, expires_at, user_agent, address, clients
         FROM sessions WHERE user_id = $1 AND expires_at > $2 ORDER BY used_at DESC, created_at DESC, id")
        .bind(user).bind(now).fetch_all(conn))?;
    Ok(rows.into_iter().map(Session::from).collect())
}

/// Replaces cookie and facts of the session if it still has the old cookie; of concurrent callers one wins.
pub async fn replace_cookie(tx: &mut Tx<'_>, old: &Hash, session: &Session) -> Result<bool> {
    let replaced = execute!(
        tx,
        "UPDATE sessions SET cookie = $3, facts = $4, used_at = $5, user_agent = $7, address = $8, clients = $9
         WHERE cookie = $1 AND id = $2 AND user_id = $6",
        old,
        &session.id,
        &session.cookie,
        Json(session.facts.list()),
        session.used_at,
        &session.user,
        &session.user_agent,
        &session.address,
        Json(&session.clients),
    )?;
    Ok(replaced == 1)
}

/// Records a use of the session and its client. [`Conflict`](crate::storage::Error::Conflict) if the session has ended
/// or has another cookie.
///
/// The time in the row never decreases, even if the clock was set back.
pub fn queue_touch(tx: &mut Tx<'_>, session: &Session) -> Result<()> {
    queue!(
        tx,
        ExpectedRows::One,
        "UPDATE sessions SET used_at = CASE WHEN used_at < $3 THEN $3 ELSE used_at END, clients = $4
         WHERE id = $1 AND cookie = $2",
        &session.id,
        &session.cookie,
        session.used_at,
        Json(&session.clients),
    );
    Ok(())
}

/// Raises the session's epoch along with its user's, so that it stays valid.
pub async fn carry_over(tx: &mut Tx<'_>, id: &SessionId) -> Result<()> {
    execute!(tx, "UPDATE sessions SET epoch = epoch + 1 WHERE id = $1", id)?;
    Ok(())
}
