//! A transaction on either database, and `on!`, which runs one statement on whichever it is.

use std::time::Duration;

use sqlx::{PgConnection, SqliteConnection};

use super::error::{Error, Result};

/// How long PostgreSQL may take over one statement: a server that hangs must not hang us.
pub(super) const PATIENCE: Duration = Duration::from_secs(4);

/// A transaction, or for reads just a connection.
pub struct Tx<'c> {
    connection: Connection<'c>,
    notes: &'c mut Notes,
}

/// One of the two databases.
pub(super) enum Connection<'c> {
    Sqlite(&'c mut SqliteConnection),
    Postgres(&'c mut PgConnection),
}

/// What is remembered of a transaction's course.
#[derive(Debug, Default)]
pub(super) struct Notes {
    /// Statements run, for the budgets.
    pub(super) statements: u64,
    /// Was something changed that nodes cache?
    pub(super) catalogue_changed: bool,
    /// Was a message put into the outbox?
    pub(super) message: bool,
    /// Was a statement given up? Then the connection may hang and is not used again.
    pub(super) unsettled: bool,
}

impl<'c> Tx<'c> {
    pub(super) fn sqlite(connection: &'c mut SqliteConnection, notes: &'c mut Notes) -> Self {
        Self { connection: Connection::Sqlite(connection), notes }
    }

    pub(super) fn postgres(connection: &'c mut PgConnection, notes: &'c mut Notes) -> Self {
        Self { connection: Connection::Postgres(connection), notes }
    }

    /// The connection, for one statement.
    pub(super) fn begin_statement(&mut self) -> Connection<'_> {
        self.notes.statements += 1;
        self.notes.unsettled = true;
        match &mut self.connection {
            Connection::Sqlite(connection) => Connection::Sqlite(connection),
            Connection::Postgres(connection) => Connection::Postgres(connection),
        }
    }

    /// The statement's answer is here.
    pub(super) fn end_statement<T>(&mut self, answer: Result<T>) -> Result<T> {
        self.notes.unsettled = matches!(answer, Err(Error::Busy(_)));
        answer
    }

    /// Remembers that caches must look again once this is committed.
    pub(super) fn note_catalogue_change(&mut self) {
        self.notes.catalogue_changed = true;
    }

    /// Remembers that there is something to send once this is committed.
    pub(super) fn note_message(&mut self) {
        self.notes.message = true;
    }
}

/// Waits for PostgreSQL, but not for ever.
pub(super) async fn patiently<T>(answer: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T> {
    match tokio::time::timeout(PATIENCE, answer).await {
        Ok(answer) => answer.map_err(Error::from),
        Err(_) => Err(Error::busy("PostgreSQL does not answer")),
    }
}

/// `on!(tx, conn => query)`: expands the one query for whichever database `tx` is on.
macro_rules! on {
    ($tx:expr, $conn:ident => $query:expr) => {{
        let answer = match $tx.begin_statement() {
            $crate::storage::tx::Connection::Sqlite($conn) => {
                $query.await.map_err($crate::storage::error::Error::from)
            }
            $crate::storage::tx::Connection::Postgres($conn) => {
                $crate::storage::tx::patiently(async move { $query.await }).await
            }
        };
        $tx.end_statement(answer)
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
