//! Queue of messages to users, with their delivery state.
//!
//! A message is queued in the same write as the change that it reports, so that neither exists without the other. Nodes
//! then *claim* due messages: one conditional statement moves `due_at` by a lease, so that each is claimed once. If a
//! node dies, the lease expires and the message is claimed again; it is sent twice only if the node died between
//! sending it and recording that. `tries` is the number of the claim: a node that has lost the lease cannot record an
//! outcome.

use std::time::Duration;

use crate::domain::ids::{MessageId, TenantId, UserId};
use crate::domain::message::{Channel, Delivery, MessageKind};
use crate::domain::time::Time;
use crate::storage::core::error::Result;
use crate::storage::core::json::Word;
use crate::storage::core::tx::Tx;

/// Maximum number of waiting messages of one channel. Beyond it sending is blocked, and more messages would not help.
pub const QUEUE: i64 = 10_000;
/// Maximum number of waiting messages of one tenant and channel.
pub const QUEUE_OF_TENANT: i64 = 2_000;

/// A message to queue.
#[derive(Clone, Debug)]
pub struct NewMessage {
    /// Its id.
    pub id: MessageId,
    /// The tenant in whose name it is sent.
    pub tenant: TenantId,
    /// The recipient.
    pub user: UserId,
    /// Its channel.
    pub channel: Channel,
    /// Its kind.
    pub kind: MessageKind,
    /// The masked destination.
    pub destination: String,
    /// Content and destination, sealed for its row.
    pub sealed: String,
    /// The time it was queued.
    pub created_at: Time,
    /// The time after which it is not sent.
    pub expires_at: Time,
}

/// The row name that a message's content is sealed for.
pub fn row(id: &MessageId) -> String {
    format!("outbox/{id}")
}

/// Queues a message; `false`: the queue is full, and the message will not be sent.
pub async fn enqueue(tx: &mut Tx<'_>, new: &NewMessage) -> Result<bool> {
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

/// A claimed message.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct ClaimedMessage {
    /// Its id.
    pub id: MessageId,
    /// The tenant in whose name it is sent.
    #[sqlx(rename = "tenant_id")]
    pub tenant: TenantId,
    /// Content and destination, sealed for its row.
    pub sealed: String,
    /// The number of this try, from 1.
    pub tries: i64,
    /// The time after which it is not sent.
    pub expires_at: Time,
}

/// Claims at most `limit` due messages of this channel. Until the lease expires, no other node gets them.
pub async fn claim(
    tx: &mut Tx<'_>,
    channel: Channel,
    now: Time,
    lease: Duration,
    limit: i64,
) -> Result<Vec<ClaimedMessage>> {
    on!(tx, conn => sqlx::query_as(
        "UPDATE outbox SET state = 'sending', tries = tries + 1, due_at = $3
         WHERE id IN (SELECT id FROM outbox
                      WHERE channel = $1 AND state IN ('waiting', 'sending') AND due_at <= $2
                      ORDER BY due_at LIMIT $4)
           AND state IN ('waiting', 'sending') AND due_at <= $2
         RETURNING id, tenant_id, sealed, tries, expires_at")
        .bind(Word(channel)).bind(now).bind(now.plus(lease)).bind(limit).fetch_all(conn))
}

/// The outcome of a try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SendAttempt {
    /// It was sent.
    Sent,
    /// It is retried at this time; the text is the reason of the failure.
    Again(Time, String),
    /// It is given up, for this reason.
    Failed(String),
}

/// Records the outcome of a try; `false`: the lease has expired and another node has claimed the message. The content
/// is erased once the message needs no further try.
pub async fn record(tx: &mut Tx<'_>, id: &MessageId, tries: i64, outcome: &SendAttempt) -> Result<bool> {
    let recorded = match outcome {
        SendAttempt::Sent => execute!(
            tx,
            "UPDATE outbox SET state = 'sent', sealed = NULL, reason = NULL
             WHERE id = $1 AND tries = $2 AND state = 'sending'",
            id,
            tries,
        )?,
        SendAttempt::Again(due_at, reason) => execute!(
            tx,
            "UPDATE outbox SET state = 'waiting', due_at = $3, reason = $4
             WHERE id = $1 AND tries = $2 AND state = 'sending'",
            id,
            tries,
            *due_at,
            reason,
        )?,
        SendAttempt::Failed(reason) => execute!(
            tx,
            "UPDATE outbox SET state = 'failed', sealed = NULL, reason = $3
             WHERE id = $1 AND tries = $2 AND state = 'sending'",
            id,
            tries,
            reason,
        )?,
    };
    Ok(recorded == 1)
}

/// Withdraws a message that a newer one replaces; one that is being sent cannot be withdrawn.
pub async fn withdraw(tx: &mut Tx<'_>, id: &MessageId) -> Result<bool> {
    let sql = "UPDATE outbox SET state = 'failed', sealed = NULL, reason = 'replaced by a newer one'
               WHERE id = $1 AND state = 'waiting'";
    Ok(execute!(tx, sql, id)? == 1)
}

/// A message as shown to administrators.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxEntry {
    /// Its id.
    pub id: MessageId,
    /// The recipient.
    pub user: UserId,
    /// Its channel.
    pub channel: Channel,
    /// Its kind.
    pub kind: MessageKind,
    /// The masked destination.
    pub destination: String,
    /// Its delivery state.
    pub delivery: Delivery,
    /// The reason why the last try failed.
    pub reason: Option<String>,
    /// The number of tries.
    pub tries: i64,
    /// The time it was queued.
    pub created_at: Time,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: MessageId,
    user_id: UserId,
    channel: Word<Channel>,
    kind: Word<MessageKind>,
    destination: String,
    state: String,
    reason: Option<String>,
    tries: i64,
    created_at: Time,
}

impl From<Row> for OutboxEntry {
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

/// One message; `None` if it never existed or was deleted.
pub async fn by_id(tx: &mut Tx<'_>, id: &MessageId) -> Result<Option<OutboxEntry>> {
    let row: Option<Row> = on!(tx, conn => sqlx::query_as(
        "SELECT id, user_id, channel, kind, destination, state, reason, tries, created_at FROM outbox WHERE id = $1")
        .bind(id).fetch_optional(conn))?;
    Ok(row.map(OutboxEntry::from))
}

/// The newest messages of a tenant, newest first.
pub async fn of_tenant(tx: &mut Tx<'_>, tenant: &TenantId, limit: i64) -> Result<Vec<OutboxEntry>> {
    let rows: Vec<Row> = on!(tx, conn => sqlx::query_as(
        "SELECT id, user_id, channel, kind, destination, state, reason, tries, created_at FROM outbox
         WHERE tenant_id = $1 ORDER BY created_at DESC, id LIMIT $2")
        .bind(tenant).bind(limit).fetch_all(conn))?;
    Ok(rows.into_iter().map(OutboxEntry::from).collect())
}

/// The number of messages of this channel that wait to be sent by any node.
pub async fn waiting(tx: &mut Tx<'_>, channel: Channel) -> Result<i64> {
    on!(tx, conn => sqlx::query_scalar(
        "SELECT COUNT(*) FROM outbox WHERE channel = $1 AND state IN ('waiting', 'sending')")
        .bind(Word(channel)).fetch_one(conn))
}
