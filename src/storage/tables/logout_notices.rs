//! Logout tokens on their way to clients (OpenID Connect Back-Channel Logout 1.0), one row per session and client.
//!
//! A notice is claimed by one conditional statement that moves `due_at` on by a lease, so that of several nodes one sends it.
//! `tries` is the number of the claim: a node that has lost its lease cannot record an outcome. The token itself is signed
//! when it is sent, because it names its time of issue.

use std::time::Duration;

use crate::domain::ids::{ClientId, IssuerId, SessionId, UserId};
use crate::domain::logout::LogoutNotice;
use crate::domain::message::Delivery;
use crate::domain::time::Time;
use crate::storage::core::error::Result;
use crate::storage::core::tx::Tx;
use crate::storage::ended_sessions::EndedSession;

/// Writes the notice of an ended session for one of its clients.
pub async fn enqueue(tx: &mut Tx<'_>, session: &EndedSession, client: &ClientId, now: Time) -> Result<()> {
    execute!(
        tx,
        "INSERT INTO logout_notices
             (session_id, client_id, issuer_id, user_id, state, tries, created_at, due_at)
         VALUES ($1, $2, $3, $4, 'waiting', 0, $5, $5)",
        &session.id,
        client,
        &session.issuer,
        &session.user,
        now,
    )?;
    tx.note_message();
    Ok(())
}

/// A notice that this node sends now.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct ClaimedNotice {
    /// The session that ended.
    #[sqlx(rename = "session_id")]
    pub session: SessionId,
    /// The client that is told.
    #[sqlx(rename = "client_id")]
    pub client: ClientId,
    /// The issuer of the session.
    #[sqlx(rename = "issuer_id")]
    pub issuer: IssuerId,
    /// The user who was signed in.
    #[sqlx(rename = "user_id")]
    pub user: UserId,
    /// The number of this try, from 1.
    pub tries: i64,
}

/// Returns whether there is anything to do: a session to announce, or a notice that is due.
pub async fn any_due(tx: &mut Tx<'_>, now: Time) -> Result<bool> {
    on!(tx, conn => sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM ended_sessions)
             OR EXISTS (SELECT 1 FROM logout_notices WHERE state IN ('waiting', 'sending') AND due_at <= $1)")
        .bind(now).fetch_one(conn))
}

/// Claims at most `limit` notices that are due. No other node gets them until the lease is over.
pub async fn claim(tx: &mut Tx<'_>, now: Time, lease: Duration, limit: i64) -> Result<Vec<ClaimedNotice>> {
    on!(tx, conn => sqlx::query_as(
        "UPDATE logout_notices SET state = 'sending', tries = tries + 1, due_at = $2
         WHERE (session_id, client_id) IN (
                   SELECT session_id, client_id FROM logout_notices
                   WHERE state IN ('waiting', 'sending') AND due_at <= $1 ORDER BY due_at LIMIT $3)
           AND state IN ('waiting', 'sending') AND due_at <= $1
         RETURNING session_id, client_id, issuer_id, user_id, tries")
        .bind(now).bind(now.plus(lease)).bind(limit).fetch_all(conn))
}

/// What came of one try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoticeOutcome {
    /// The client has accepted the token.
    Sent,
    /// It is tried again at this time; the text says why.
    Retry(Time, String),
    /// It is given up.
    Failed(String),
}

/// Records the outcome of a try; `false` if the lease was lost to another node.
pub async fn finish(tx: &mut Tx<'_>, notice: &ClaimedNotice, outcome: &NoticeOutcome) -> Result<bool> {
    let (state, due_at, reason) = match outcome {
        NoticeOutcome::Sent => ("sent", None, None),
        NoticeOutcome::Retry(due_at, reason) => ("waiting", Some(*due_at), Some(reason)),
        NoticeOutcome::Failed(reason) => ("failed", None, Some(reason)),
    };
    let finished = execute!(
        tx,
        "UPDATE logout_notices SET state = $4, due_at = COALESCE($5, due_at), reason = $6
         WHERE session_id = $1 AND client_id = $2 AND tries = $3 AND state = 'sending'",
        &notice.session,
        &notice.client,
        notice.tries,
        state,
        due_at,
        reason,
    )?;
    Ok(finished == 1)
}

/// The notices of one session, by client.
pub async fn of_session(tx: &mut Tx<'_>, session: &SessionId) -> Result<Vec<LogoutNotice>> {
    let rows: Vec<(ClientId, String, Option<String>, i64)> = on!(tx, conn => sqlx::query_as(
        "SELECT client_id, state, reason, tries FROM logout_notices WHERE session_id = $1 ORDER BY client_id")
        .bind(session).fetch_all(conn))?;
    let notice = |(client, state, reason, tries): (ClientId, String, Option<String>, i64)| {
        let delivery = match state.as_str() {
            "waiting" => Delivery::Waiting,
            "sending" => Delivery::Sending,
            "sent" => Delivery::Sent,
            _ => Delivery::Failed(reason.clone().unwrap_or_default()),
        };
        LogoutNotice { client, delivery, reason, tries }
    };
    Ok(rows.into_iter().map(notice).collect())
}

/// Forgets at most `limit` notices that are done and older than this.
pub async fn forget(tx: &mut Tx<'_>, before: Time, limit: i64) -> Result<u64> {
    execute!(
        tx,
        "DELETE FROM logout_notices WHERE (session_id, client_id) IN
             (SELECT session_id, client_id FROM logout_notices
              WHERE created_at <= $1 AND state IN ('sent', 'failed') LIMIT $2)",
        before,
        limit,
    )
}
