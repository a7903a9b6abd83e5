//! Messages on their way to users, and what became of them.
//!
//! A message is put here in the same write as that which it tells of, so that neither exists without the other. Nodes
//! then *claim* what is due: one conditional statement moves `due_at` on by a lease, and whoever comes later finds
//! nothing. A node that dies lets its lease run out, and the message is taken again: so it is sent twice only if the node
//! died between handing it over and saying so. `tries` is the claim's number: who has lost the lease settles nothing.

use std::time::Duration;

use crate::domain::ids::{MessageId, TenantId, UserId};
use crate::domain::message::{Channel, Delivery, Kind};
use crate::domain::time::Time;
use crate::storage::core::error::Result;
use crate::storage::core::json::Word;
use crate::storage::core::tx::Tx;

/// How many messages of one channel may wait. Beyond that the way out is blocked, and more would help nobody.
pub const QUEUE: i64 = 10_000;
/// How many of those may be one tenant's.
pub const QUEUE_OF_TENANT: i64 = 2_000;

/// A message to be put into the queue.
#[derive(Clone, Debug)]
pub struct New {
    /// Its row.
    pub id: MessageId,
    /// Whose name it carries.
    pub tenant: TenantId,
    /// To whom.
    pub user: UserId,
    /// The way it goes.
    pub channel: Channel,
    /// What it is about.
    pub kind: Kind,
    /// Where it goes, masked.
    pub destination: String,
    /// What it says and where it goes, sealed for its row.
    pub sealed: String,
    /// When it was asked for.
    pub created_at: Time,
    /// From when on it is of no use.
    pub expires_at: Time,
}

/// The row that a message's content is sealed for.
pub fn row(id: &MessageId) -> String {
    format!("outbox/{id}")
}

/// Puts a message into the queue; `false`: the queue is full, and the message will not be sent.
pub async fn enqueue(tx: &mut Tx<'_>, new: &New) -> Result<bool> {
    let written = execute!(
        tx,
        "INSERT INTO outbox (id, tenant_id, user_id, channel, kind, destination, sealed, state, tries, created_at,
             due_at, expires_at)
         SELECT $1, $2, $3, $4, $5, $6, $7, 'waiting', 0, $8, $8, $9
         WHERE (SELECT COUNT(*) FROM outbox WHERE channel = $4 AND state IN ('waiting', 'sending')) < $10
           AND (SELECT COUNT(*) FROM outbox
                WHERE channel = $4 AND state IN ('waiting', 'sending') AND tenant_id = $2) < $11",
        &new.id,
        &new.tenant,
        &new.user,
        Word(new.channel),
        Word(new.kind),
        &new.destination,
        &new.sealed,
        new.created_at,
        new.expires_at,
        QUEUE,
        QUEUE_OF_TENANT,
    )?;
    if written == 1 {
        tx.note_message();
    }
    Ok(written == 1)
}

/// A message that was taken to be sent.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Claimed {
    /// Its row.
    pub id: MessageId,
    /// Whose name it carries.
    #[sqlx(rename = "tenant_id")]
    pub tenant: TenantId,
    /// What it says and where it goes, sealed for its row.
    pub sealed: String,
    /// The how-manieth try this is, from 1.
    pub tries: i64,
    /// From when on it is of no use.
    pub expires_at: Time,
}

/// Takes at most `limit` messages of this channel that are due. Until the lease is over nobody else gets them.
pub async fn claim(
    tx: &mut Tx<'_>,
    channel: Channel,
    now: Time,
    lease: Duration,
    limit: i64,
) -> Result<Vec<Claimed>> {
    on!(tx, conn => sqlx::query_as(
        "UPDATE outbox SET state = 'sending', tries = tries + 1, due_at = $3
         WHERE id IN (SELECT id FROM outbox
                      WHERE channel = $1 AND state IN ('waiting', 'sending') AND due_at <= $2
                      ORDER BY due_at LIMIT $4)
           AND state IN ('waiting', 'sending') AND due_at <= $2
         RETURNING id, tenant_id, sealed, tries, expires_at")
        .bind(Word(channel)).bind(now).bind(now.plus(lease)).bind(limit).fetch_all(conn))
}

/// What came of a try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was handed over.
    Sent,
    /// It is tried again at this time, and meanwhile this was the reason.
    Again(Time, String),
    /// It is given up.
    Failed(String),
}

/// Writes down what came of a try; `false`: the lease had run out and somebody else has taken it since. What was to be
/// said is erased once there is nothing more to send.
pub async fn settle(tx: &mut Tx<'_>, id: &MessageId, tries: i64, outcome: &Outcome) -> Result<bool> {
    let settled = match outcome {
        Outcome::Sent => execute!(
            tx,
            "UPDATE outbox SET state = 'sent', sealed = NULL, reason = NULL
             WHERE id = $1 AND tries = $2 AND state = 'sending'",
            id,
            tries,
        )?,
        Outcome::Again(due_at, reason) => execute!(
            tx,
            "UPDATE outbox SET state = 'waiting', due_at = $3, reason = $4
             WHERE id = $1 AND tries = $2 AND state = 'sending'",
            id,
            tries,
            *due_at,
            reason,
        )?,
        Outcome::Failed(reason) => execute!(
            tx,
            "UPDATE outbox SET state = 'failed', sealed = NULL, reason = $3
             WHERE id = $1 AND tries = $2 AND state = 'sending'",
            id,
            tries,
            reason,
        )?,
    };
    Ok(settled == 1)
}

/// Calls a message back, because a newer one has taken its place; one that is being sent cannot be.
pub async fn withdraw(tx: &mut Tx<'_>, id: &MessageId) -> Result<bool> {
    let sql = "UPDATE outbox SET state = 'failed', sealed = NULL, reason = 'replaced by a newer one'
               WHERE id = $1 AND state = 'waiting'";
    Ok(execute!(tx, sql, id)? == 1)
}

/// A message as administrators see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its row.
    pub id: MessageId,
    /// To whom.
    pub user: UserId,
    /// The way it goes.
    pub channel: Channel,
    /// What it is about.
    pub kind: Kind,
    /// Where it goes, masked.
    pub destination: String,
    /// Where it stands.
    pub delivery: Delivery,
    /// Why the last try came to nothing.
    pub reason: Option<String>,
    /// How many tries there were.
    pub tries: i64,
    /// When it was asked for.
    pub created_at: Time,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: MessageId,
    user_id: UserId,
    channel: Word<Channel>,
    kind: Word<Kind>,
    destination: String,
    state: String,
    reason: Option<String>,
    tries: i64,
    created_at: Time,
}

impl From<Row> for Entry {
    fn from(row: Row) -> Self {
        let delivery = match row.state.as_str() {
            "waiting" => Delivery::Waiting,
            "sending" => Delivery::Sending,
            "sent" => Delivery::Sent,
            _ => Delivery::Failed(row.reason.clone().unwrap_or_default()),
        };
        Self {
            id: row.id,
            user: row.user_id,
            channel: row.channel.0,
            kind: row.kind.0,
            destination: row.destination,
            delivery,
            reason: row.reason,
            tries: row.tries,
            created_at: row.created_at,
        }
    }
}

/// One message; `None`: there never was one, or it is forgotten.
pub async fn by_id(tx: &mut Tx<'_>, id: &MessageId) -> Result<Option<Entry>> {
    let row: Option<Row> = on!(tx, conn => sqlx::query_as(
        "SELECT id, user_id, channel, kind, destination, state, reason, tries, created_at FROM outbox WHERE id = $1")
        .bind(id).fetch_optional(conn))?;
    Ok(row.map(Entry::from))
}

/// The newest messages of a tenant, newest first.
pub async fn of_tenant(tx: &mut Tx<'_>, tenant: &TenantId, limit: i64) -> Result<Vec<Entry>> {
    let rows: Vec<Row> = on!(tx, conn => sqlx::query_as(
        "SELECT id, user_id, channel, kind, destination, state, reason, tries, created_at FROM outbox
         WHERE tenant_id = $1 ORDER BY created_at DESC, id LIMIT $2")
        .bind(tenant).bind(limit).fetch_all(conn))?;
    Ok(rows.into_iter().map(Entry::from).collect())
}

/// How many messages of this channel are still to be sent, by all nodes.
pub async fn waiting(tx: &mut Tx<'_>, channel: Channel) -> Result<i64> {
    on!(tx, conn => sqlx::query_scalar(
        "SELECT COUNT(*) FROM outbox WHERE channel = $1 AND state IN ('waiting', 'sending')")
        .bind(Word(channel)).fetch_one(conn))
}
