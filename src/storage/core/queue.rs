//! Queued statements: those of one transaction are sent to the database together, in one round trip.
//!
//! On SQLite a statement crosses to the connection's thread and back, on PostgreSQL the network; either costs more than
//! the statement itself. A statement whose result the closure does not need is queued here and runs before the next
//! statement whose result it does need ([`Tx::flush`](super::Tx::flush)), at the latest before the commit. Functions that
//! queue are synchronous and their names begin with `queue_`.
//!
//! SQLite runs them one after the other. (sqlx discourages several statements with arguments in one text, but has no
//! other way to hand them to its thread at once.) For PostgreSQL they become the parts of one `WITH`, which share a
//! snapshot and run in no defined order: **statements queued together must not write the same row**, because PostgreSQL
//! would apply only one of the writes, without an error.

use std::fmt::Write;

use futures_util::TryStreamExt;
use sqlx::postgres::PgArguments;
use sqlx::sqlite::SqliteArguments;
use sqlx::{Arguments, AssertSqlSafe, Encode, Executor, PgConnection, SqliteConnection, Type};

use super::error::{Error, Result};
use super::patience::patiently;

/// Queued statements in order, and the arguments of all of them.
#[derive(Default)]
pub(in crate::storage) struct Batch<A> {
    statements: Vec<QueuedStatement>,
    arguments: A,
}

struct QueuedStatement {
    sql: &'static str,
    /// Number of arguments that precede its own.
    offset: usize,
    expected: ExpectedRows,
}

/// How many rows a statement must affect.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::storage) enum ExpectedRows {
    /// Any number.
    Any,
    /// Exactly one; otherwise the race is lost and the whole write fails with [`Error::Conflict`].
    One,
}

impl<A: Arguments> Batch<A> {
    /// The number of queued statements.
    pub(in crate::storage) fn len(&self) -> u64 {
        self.statements.len() as u64
    }

    /// Returns whether a statement must affect a row, so that the batch may have to be rolled back.
    pub(in crate::storage) fn expects_rows(&self) -> bool {
        self.statements.iter().any(|statement| statement.expected == ExpectedRows::One)
    }

    /// Adds a statement; its arguments follow by [`bind`](Self::bind).
    pub(in crate::storage) fn push(&mut self, sql: &'static str, expected: ExpectedRows) {
        self.statements.push(QueuedStatement { sql, offset: self.arguments.len(), expected });
    }

    /// Adds the next argument of the last statement.
    pub(in crate::storage) fn bind<'t, T>(&mut self, value: T) -> Result<()>
    where
        T: Encode<'t, A::Database> + Type<A::Database>,
    {
        self.arguments.add(value).map_err(Error::encoding)
    }
}

impl Batch<SqliteArguments> {
    /// Runs them one after the other.
    pub(in crate::storage) async fn run(self, connection: &mut SqliteConnection) -> Result<()> {
        let text: Vec<_> = self.statements.iter().map(QueuedStatement::text).collect();
        let query = sqlx::query_with(AssertSqlSafe(text.join(";")), self.arguments);
        let done = connection.execute_many(query).map_ok(|done| done.rows_affected());
        let touched: Vec<_> = done.try_collect().await?;
        if touched.len() != self.statements.len() {
            return Err(Error::other("a batch of queued statements did not run to its end"));
        }
        let lost_race =
            |(part, touched): (&QueuedStatement, u64)| part.expected == ExpectedRows::One && touched != 1;
        if self.statements.iter().zip(touched).any(lost_race) { Err(Error::Conflict) } else { Ok(()) }
    }
}

impl Batch<PgArguments> {
    /// Runs them as one statement, which answers how many rows each part affected.
    pub(in crate::storage) async fn run(self, connection: &mut PgConnection) -> Result<()> {
        let parts = self.statements.iter().zip(0..);
        let parts: Vec<_> = parts.map(|(part, n)| format!("q{n} AS ({} RETURNING 1)", part.text())).collect();
        let checks = self.statements.iter().zip(0..).filter(|(part, _)| part.expected == ExpectedRows::One);
        let checks: Vec<_> = checks.map(|(_, n)| format!("(SELECT count(*) FROM q{n})")).collect();
        let text = format!("WITH {} SELECT ARRAY[{}]::BIGINT[]", parts.join(", "), checks.join(", "));
        let query = sqlx::query_scalar_with(AssertSqlSafe(text), self.arguments);
        let affected: Vec<i64> = patiently(query.fetch_one(connection)).await?;
        if affected.iter().all(|rows| *rows == 1) { Ok(()) } else { Err(Error::Conflict) }
    }
}

impl QueuedStatement {
    /// The statement's text with its placeholders renumbered for the whole batch.
    fn text(&self) -> String {
        let mut parts = self.sql.split('$');
        let mut text = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let digits = part.bytes().take_while(u8::is_ascii_digit).count();
            let (number, rest) = part.split_at(digits);
            let number = number.parse::<usize>().unwrap_or_default() + self.offset;
            let _ = write!(text, "${number}{rest}");
        }
        text
    }
}
