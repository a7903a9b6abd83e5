//! Audit entries, in the order of their commits.
//!
//! An entry has a *place* once it is committed. Places are dense and only grow, so a reader that polls [`after`] its last
//! place misses no entry. SQLite has one writer: there the table assigns the place with the insert. PostgreSQL hands
//! sequence numbers out before the commit, so that a lower one may become visible after a higher one was read: there an
//! entry is inserted without a place, and [`assign_places`] numbers what is committed, in a transaction of its own. Why not
//! a counter in the write itself: every login would wait for the one before.

use serde_json::Value;

use crate::domain::audit::{AuditSubject, Entry};
use crate::domain::ids::{GrantId, IssuerId, Reference, TenantId};
use crate::domain::time::Time;
use crate::storage::core::error::{Error, Result};
use crate::storage::core::json::Json;
use crate::storage::core::queue::ExpectedRows;
use crate::storage::core::tx::Tx;

/// An audit entry as it is read: text that outlives the types of the version that wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// Its place in the order of commits, from 1.
    pub place: i64,
    /// The time of the writing node's clock.
    pub at: Time,
    /// Whether it tells of a refusal of a request that proved nothing.
    pub refusal: bool,
    /// The name of the event.
    pub event: String,
    /// The kind of the actor, and its identifier if it has one.
    pub actor: (String, Option<String>),
    /// The kind and the identifier of what it is about.
    pub subject: Option<(String, String)>,
    /// The tenant that it belongs to.
    pub tenant: Option<TenantId>,
    /// The issuer that received the request.
    pub issuer: Option<IssuerId>,
    /// The network that the request came from.
    pub network: Option<String>,
    /// The login that it belongs to, by its grant.
    pub grant: Option<GrantId>,
    /// The code that the user was shown.
    pub reference: Option<Reference>,
    /// The event's other members.
    pub details: Value,
    /// The decisions that led to it.
    pub decisions: Option<Value>,
    /// The changed members before.
    pub before: Option<Value>,
    /// The changed members after.
    pub after: Option<Value>,
}

#[derive(sqlx::FromRow)]
struct Row {
    place: i64,
    at: Time,
    refusal: bool,
    event: String,
    actor: String,
    actor_id: Option<String>,
    subject: Option<String>,
    subject_id: Option<String>,
    tenant_id: Option<TenantId>,
    issuer_id: Option<IssuerId>,
    network: Option<String>,
    grant_id: Option<GrantId>,
    reference: Option<Reference>,
    details: Json<Value>,
    decisions: Option<Json<Value>>,
    value_before: Option<Json<Value>>,
    value_after: Option<Json<Value>>,
}

impl From<Row> for Placed {
    fn from(row: Row) -> Self {
        Self {
            place: row.place,
            at: row.at,
            refusal: row.refusal,
            event: row.event,
            actor: (row.actor, row.actor_id),
            subject: row.subject.zip(row.subject_id),
            tenant: row.tenant_id,
            issuer: row.issuer_id,
            network: row.network,
            grant: row.grant_id,
            reference: row.reference,
            details: row.details.0,
            decisions: row.decisions.map(|json| json.0),
            before: row.value_before.map(|json| json.0),
            after: row.value_after.map(|json| json.0),
        }
    }
}

/// Adds an entry to the write. The listener is told of it after the commit.
pub fn queue_insert(tx: &mut Tx<'_>, entry: Entry) -> Result<()> {
    queue_insert_told(tx, &entry)?;
    tx.note_entry(entry);
    Ok(())
}

/// Adds an entry of which the listener was told when it was made.
pub fn queue_insert_told(tx: &mut Tx<'_>, entry: &Entry) -> Result<()> {
    let ordinal = tx.next_ordinal();
    queue!(
        tx,
        ExpectedRows::Any,
        "INSERT INTO audit_entries (ordinal, at, refusal, event, actor, actor_id, subject, subject_id, tenant_id, issuer_id,
             network, grant_id, reference, details, decisions, value_before, value_after)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)",
        ordinal,
        entry.at,
        entry.is_refusal(),
        entry.event.name(),
        entry.actor.kind(),
        entry.actor.id(),
        entry.subject.as_ref().map(AuditSubject::kind),
        entry.subject.as_ref().map(AuditSubject::id),
        &entry.tenant,
        &entry.origin.issuer,
        &entry.origin.network,
        &entry.grant,
        &entry.reference,
        Json(entry.event.details().map_err(Error::encoding)?),
        Some(&entry.decisions).filter(|decisions| !decisions.is_empty()).map(Json),
        entry.before.as_ref().map(Json),
        entry.after.as_ref().map(Json),
    );
    Ok(())
}

/// The entries after this place, in order. On PostgreSQL, entries that [`assign_places`] has not numbered are not among
/// them.
pub async fn after(tx: &mut Tx<'_>, place: i64, limit: i64) -> Result<Vec<Placed>> {
    let rows: Vec<Row> = on!(tx, conn => sqlx::query_as(
        "SELECT place, at, refusal, event, actor, actor_id, subject, subject_id, tenant_id, issuer_id, network, grant_id,
             reference, details, decisions, value_before, value_after
         FROM audit_entries WHERE place > $1 ORDER BY place LIMIT $2")
        .bind(place).bind(limit).fetch_all(conn))?;
    Ok(rows.into_iter().map(Placed::from).collect())
}

/// The number of stored refusals.
pub async fn refusals(tx: &mut Tx<'_>) -> Result<u64> {
    let sql = "SELECT count(*) FROM audit_entries WHERE refusal";
    let count: i64 = on!(tx, conn => sqlx::query_scalar(sql).fetch_one(conn))?;
    Ok(count.unsigned_abs())
}

/// Deletes at most `limit` refusals, or other entries, from before this time; returns how many.
pub async fn remove_before(tx: &mut Tx<'_>, refusal: bool, time: Time, limit: i64) -> Result<u64> {
    // `place` is the key on SQLite and NULL for a moment on PostgreSQL; an entry that is old enough to go has one.
    let sql = "DELETE FROM audit_entries WHERE place IN
                   (SELECT place FROM audit_entries WHERE refusal = $1 AND at <= $2 AND place IS NOT NULL LIMIT $3)";
    execute!(tx, sql, refusal, time, limit)
}

/// Returns whether committed entries have no place yet. Always `false` on SQLite.
pub async fn any_unplaced(tx: &mut Tx<'_>) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM audit_entries WHERE place IS NULL)";
    on!(tx, conn => sqlx::query_scalar(sql).fetch_one(conn))
}

/// Numbers at most `limit` committed entries that have no place, on PostgreSQL; returns how many.
///
/// Two nodes that do so at once take turns at the row of `audit_places`. The second statement has a snapshot of its own
/// (READ COMMITTED), so the second node sees what the first has numbered. `xmin` is the transaction that wrote a
/// row: its entries stay together, in the order in which they were recorded.
pub async fn assign_places(tx: &mut Tx<'_>, limit: i64) -> Result<u64> {
    let last: i64 = on!(tx, conn => sqlx::query_scalar(
        "UPDATE audit_places SET last = last RETURNING last").fetch_one(conn))?;
    let numbered = execute!(
        tx,
        "UPDATE audit_entries SET place = $1 + number FROM
             (SELECT seq AS waiting, row_number() OVER (ORDER BY first, ordinal) AS number FROM
                 (SELECT seq, ordinal, min(seq) OVER (PARTITION BY write) AS first FROM
                     (SELECT seq, ordinal, xmin::text AS write
                      FROM audit_entries WHERE place IS NULL ORDER BY seq LIMIT $2) AS oldest) AS unplaced) AS numbered
         WHERE seq = waiting",
        last,
        limit,
    )?;
    execute!(tx, "UPDATE audit_places SET last = last + $1", i64::try_from(numbered).unwrap_or_default())?;
    Ok(numbered)
}
