//! A transaction on either database; `on!` runs one statement on whichever it is, `queue!` lets one wait for others.
//!
//! What reads borrows a connection for one statement at a time: between two statements it holds none, whatever the caller
//! waits for there. What writes holds its connection to the end, so its closure may wait for nothing but its own
//! statements: [`WRITING`] makes every other use of the store fail inside it.

use std::mem;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use sqlx::postgres::PgArguments;
use sqlx::sqlite::SqliteArguments;
use sqlx::{Executor, PgConnection, SqliteConnection};
use tracing::Span;

use super::error::{Error, Result};
use super::patience::patiently;
use super::pool::{Pool, PooledConnection};
use super::queue::Batch;
use crate::domain::audit::Entry;

tokio::task_local! {
    /// Set while a closure writes.
    static WRITING: ();
}

/// Fails inside a closure that writes: it holds a connection, or is the one writer, that others wait for meanwhile.
pub(in crate::storage) fn outside_a_write() -> Result<()> {
    match WRITING.try_with(|()| ()) {
        Ok(()) => Err(Error::other("a write uses its own transaction alone")),
        Err(_) => Ok(()),
    }
}

/// A transaction, or statements that only read.
pub struct Tx<'c> {
    side: Backend<'c>,
    phase: Phase,
    notes: &'c mut TxState,
}

/// How far a transaction is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Not a transaction: only reads.
    Reading,
    /// `BEGIN` comes with the first statement that needs it.
    Waiting,
    Begun,
}

/// One of the two databases, and the statements that wait to be run there.
pub(in crate::storage) enum Backend<'c> {
    Sqlite(Link<'c, SqliteConnection>, Batch<SqliteArguments>),
    Postgres(Link<'c, PgConnection>, Batch<PgArguments>),
}

/// Where statements run.
pub(in crate::storage) enum Link<'c, C: sqlx::Connection> {
    /// On the transaction's connection.
    Held(&'c mut C),
    /// Each on a connection that is borrowed for it.
    PerStatement(&'c Pool<C>, Option<PooledConnection<C>>),
}

impl<C: sqlx::Connection> Link<'_, C> {
    async fn connection(&mut self) -> Result<&mut C> {
        match self {
            Self::Held(connection) => Ok(connection),
            Self::PerStatement(pool, lent) => {
                outside_a_write()?;
                Ok(&mut *lent.insert(pool.lend().await?))
            }
        }
    }

    /// Returns what was borrowed, unless something may still hang on it: then it is closed.
    fn release(&mut self, hangs: bool) {
        if let Self::PerStatement(_, lent) = self
            && let Some(lent) = lent.take()
            && !hangs
        {
            lent.give_back();
        }
    }
}

/// The connection that runs a statement.
pub(in crate::storage) enum Running<'a> {
    Sqlite(&'a mut SqliteConnection),
    Postgres(&'a mut PgConnection),
}

/// What is remembered of a transaction's course.
#[derive(Debug, Default)]
pub(super) struct TxState {
    /// Statements run, for the budgets.
    pub(super) statements: u64,
    /// Was something changed that nodes cache?
    pub(super) catalogue_changed: bool,
    /// Was a message put into the outbox?
    pub(super) message: bool,
    /// Audit entries written and the spans in which they were, for their listener.
    pub(super) entries: Vec<(Entry, Span)>,
    /// Number of audit entries written, told or not.
    pub(super) ordinal: i64,
    /// Was a statement given up? Then the connection may hang and is not used again.
    pub(super) unsettled: bool,
}

/// A unit of writing: a closure over a [`Tx`]. It may be run again, so it has no effect outside the transaction.
pub trait WriteFn<T>:
    for<'t, 'c> Fn(&'t mut Tx<'c>) -> BoxFuture<'t, Result<T>> + Send + Sync + 'static
{
}

impl<T, W> WriteFn<T> for W where
    W: for<'t, 'c> Fn(&'t mut Tx<'c>) -> BoxFuture<'t, Result<T>> + Send + Sync + 'static
{
}

/// Runs a closure that writes.
pub(super) async fn run<T>(work: &impl WriteFn<T>, tx: &mut Tx<'_>) -> Result<T> {
    WRITING.scope((), work(tx)).await
}

impl<'c> Tx<'c> {
    /// To read with.
    pub(super) fn reading(pool: impl Into<Backend<'c>>, notes: &'c mut TxState) -> Self {
        Self { side: pool.into(), phase: Phase::Reading, notes }
    }

    /// To write with; in the end it has to be committed or undone.
    pub(super) fn writing(connection: impl Into<Backend<'c>>, notes: &'c mut TxState) -> Self {
        Self { side: connection.into(), phase: Phase::Waiting, notes }
    }

    /// The batch of queued statements.
    pub(in crate::storage) fn queue(&mut self) -> Result<&mut Backend<'c>> {
        if self.phase == Phase::Reading {
            return Err(Error::other("cannot write in a read-only transaction"));
        }
        Ok(&mut self.side)
    }

    /// Begins.
    pub(super) async fn begin(&mut self) -> Result<()> {
        let begin = match &self.side {
            Backend::Sqlite(..) => "BEGIN IMMEDIATE",
            Backend::Postgres(..) => "BEGIN",
        };
        self.control(begin).await?;
        self.phase = Phase::Begun;
        Ok(())
    }

    /// Begins if need be and runs the queued statements. Fails with [`Error::Conflict`] if one of them did not affect the
    /// row that it had to.
    pub(super) async fn flush(&mut self) -> Result<()> {
        if self.phase == Phase::Waiting {
            self.begin().boxed().await?;
        }
        self.run_queued().await
    }

    /// Runs the queued statements and commits. If nothing ran before and none of them must affect a row, they are one
    /// statement on PostgreSQL, which needs no `BEGIN`.
    pub(super) async fn commit(&mut self) -> Result<()> {
        self.run_queued().await?;
        if self.phase == Phase::Begun { self.control("COMMIT").await } else { Ok(()) }
    }

    /// Undoes all of it.
    pub(super) async fn undo(&mut self) -> Result<()> {
        if self.phase == Phase::Begun { self.control("ROLLBACK").await } else { Ok(()) }
    }

    // sqlx's transactions are not used: on SQLite they cost one more round trip for BEGIN and COMMIT each, and a
    // connection that fails here is closed by its owner anyway.
    async fn control(&mut self, sql: &'static str) -> Result<()> {
        self.notes.unsettled = true;
        let done = match &mut self.side {
            Backend::Sqlite(link, _) => {
                link.connection().await?.execute(sql).await.map_err(Error::from).map(drop)
            }
            Backend::Postgres(link, _) => patiently(link.connection().await?.execute(sql)).await.map(drop),
        };
        self.end_statement(done)
    }

    async fn run_queued(&mut self) -> Result<()> {
        let (waiting, expects_rows) = match &self.side {
            Backend::Sqlite(_, batch) => (batch.len(), batch.expects_rows()),
            Backend::Postgres(_, batch) => (batch.len(), batch.expects_rows()),
        };
        if waiting == 0 {
            return Ok(());
        }
        if expects_rows && self.phase == Phase::Waiting {
            self.begin().boxed().await?;
        }
        self.notes.statements += waiting;
        self.notes.unsettled = true;
        // A future of its own, so that statements before which nothing waits do not carry it along.
        let done = match &mut self.side {
            Backend::Sqlite(link, batch) => mem::take(batch).run(link.connection().await?).boxed().await,
            Backend::Postgres(link, batch) => mem::take(batch).run(link.connection().await?).boxed().await,
        };
        self.end_statement(done)
    }

    /// The connection for one statement, after what waits was run.
    pub(in crate::storage) async fn begin_statement(&mut self) -> Result<Running<'_>> {
        self.flush().await?;
        let running = match &mut self.side {
            Backend::Sqlite(link, _) => Running::Sqlite(link.connection().await?),
            Backend::Postgres(link, _) => Running::Postgres(link.connection().await?),
        };
        self.notes.statements += 1;
        self.notes.unsettled = true;
        Ok(running)
    }

    /// Did its last statement get no answer, or none but that the database is busy?
    pub(super) const fn hangs(&self) -> bool {
        self.notes.unsettled
    }

    /// The statement's answer is here.
    pub(in crate::storage) fn end_statement<T>(&mut self, answer: Result<T>) -> Result<T> {
        let hangs = matches!(answer, Err(Error::Busy(_)));
        self.notes.unsettled = hangs;
        match &mut self.side {
            Backend::Sqlite(link, _) => link.release(hangs),
            Backend::Postgres(link, _) => link.release(hangs),
        }
        answer
    }

    /// Remembers that caches must look again once this is committed.
    pub(in crate::storage) fn note_catalogue_change(&mut self) {
        self.notes.catalogue_changed = true;
    }

    /// Remembers that there is something to send once this is committed.
    pub(in crate::storage) fn note_message(&mut self) {
        self.notes.message = true;
    }

    /// The number of audit entries before the next one of this transaction.
    pub(in crate::storage) fn next_ordinal(&mut self) -> i64 {
        self.notes.ordinal += 1;
        self.notes.ordinal - 1
    }

    /// Remembers an audit entry that the listener is told of once this is committed.
    pub(in crate::storage) fn note_entry(&mut self, entry: Entry) {
        self.notes.entries.push((entry, Span::current()));
    }
}

impl<'c> From<&'c mut SqliteConnection> for Backend<'c> {
    fn from(connection: &'c mut SqliteConnection) -> Self {
        Self::Sqlite(Link::Held(connection), Batch::default())
    }
}

impl<'c> From<&'c mut PgConnection> for Backend<'c> {
    fn from(connection: &'c mut PgConnection) -> Self {
        Self::Postgres(Link::Held(connection), Batch::default())
    }
}

impl<'c> From<&'c Pool<SqliteConnection>> for Backend<'c> {
    fn from(pool: &'c Pool<SqliteConnection>) -> Self {
        Self::Sqlite(Link::PerStatement(pool, None), Batch::default())
    }
}

impl<'c> From<&'c Pool<PgConnection>> for Backend<'c> {
    fn from(pool: &'c Pool<PgConnection>) -> Self {
        Self::Postgres(Link::PerStatement(pool, None), Batch::default())
    }
}

/// `on!(tx, conn => query)`: expands the one query for whichever database `tx` is on. What waits is run before.
macro_rules! on {
    ($tx:expr, $conn:ident => $query:expr) => {{
        match $tx.begin_statement().await {
            Err(error) => Err(error),
            Ok(running) => {
                let answer = match running {
                    $crate::storage::core::tx::Running::Sqlite($conn) => {
                        $query.await.map_err($crate::storage::core::error::Error::from)
                    }
                    $crate::storage::core::tx::Running::Postgres($conn) => {
                        $crate::storage::core::patience::patiently(async move { $query.await }).await
                    }
                };
                $tx.end_statement(answer)
            }
        }
    }};
}

/// `execute!(tx, "SQL", values..)`: runs a statement, gives the number of rows it touched.
macro_rules! execute {
    ($tx:expr, $sql:expr $(, $value:expr)* $(,)?) => {
        on!($tx, conn => async move {
            sqlx::query($sql)$(.bind($value))*.execute(conn).await.map(|done| done.rows_affected())
        })
    };
}

/// `queue!(tx, ExpectedRows::.., "SQL", values..)`: lets a statement wait that is not asked for an answer; see `queue.rs`.
macro_rules! queue {
    ($tx:expr, $expected:expr, $sql:expr $(, $value:expr)* $(,)?) => {
        match $tx.queue()? {
            $crate::storage::core::tx::Backend::Sqlite(_, batch) => {
                batch.push($sql, $expected);
                $(batch.bind($value)?;)*
            }
            $crate::storage::core::tx::Backend::Postgres(_, batch) => {
                batch.push($sql, $expected);
                $(batch.bind($value)?;)*
            }
        }
    };
}
