//! Statements whose answers nobody waits for: those of one transaction go to the database together, in one trip.
//!
//! On SQLite a statement goes to the connection's own thread and back, on PostgreSQL over the network; either costs more
//! than what the statement does. So what only has to be written waits here until the next statement that is asked for an
//! answer ([`Tx::settle`](super::Tx::settle)), at the latest until the transaction ends.
//!
//! SQLite runs them one after the other. (sqlx would rather see text of several statements run without arguments, and
//! has no other way that takes them to its thread at once.) For PostgreSQL they become the parts of one `WITH`, which all
//! see what was there before and run in no certain order: **those that wait together must not touch the same row**, of
//! which PostgreSQL would do one and not say so.

use std::fmt::Write;

use futures_util::TryStreamExt;
use sqlx::postgres::PgArguments;
use sqlx::sqlite::SqliteArguments;
use sqlx::{Arguments, AssertSqlSafe, Encode, Executor, PgConnection, SqliteConnection, Type};

use super::error::{Error, Result};
use super::tx::patiently;

/// Statements in their order, and the values of all of them.
#[derive(Default)]
pub(in crate::storage) struct Batch<A> {
    statements: Vec<Waiting>,
    arguments: A,
}

struct Waiting {
    sql: &'static str,
    /// The number of values before its own.
    offset: usize,
    touches: ExpectedRows,
}

/// How many rows a statement has to touch.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::storage) enum ExpectedRows {
    /// That does not matter.
    Any,
    /// One; otherwise somebody was quicker, and the whole write is a [`Error::Conflict`].
    One,
}

impl<A: Arguments> Batch<A> {
    /// How many statements wait.
    pub(in crate::storage) fn len(&self) -> u64 {
        self.statements.len() as u64
    }

    /// Adds a statement; its values follow.
    pub(in crate::storage) fn push(&mut self, sql: &'static str, touches: ExpectedRows) {
        self.statements.push(Waiting { sql, offset: self.arguments.len(), touches });
    }

    /// Adds the last statement's next value.
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
        let text: Vec<_> = self.statements.iter().map(Waiting::text).collect();
        let query = sqlx::query_with(AssertSqlSafe(text.join(";")), self.arguments);
        let done = connection.execute_many(query).map_ok(|done| done.rows_affected());
        let touched: Vec<_> = done.try_collect().await?;
        if touched.len() != self.statements.len() {
            return Err(Error::other("statements that were to run together did not"));
        }
        let late = |(part, touched): (&Waiting, u64)| part.touches == ExpectedRows::One && touched != 1;
        if self.statements.iter().zip(touched).any(late) { Err(Error::Conflict) } else { Ok(()) }
    }
}

impl Batch<PgArguments> {
    /// Runs them as one statement. It may be a transaction by itself, so it is the statement that fails if a part did not
    /// touch what it had to: by a division by zero.
    pub(in crate::storage) async fn run(self, connection: &mut PgConnection) -> Result<()> {
        let parts = self.statements.iter().zip(0..);
        let parts: Vec<_> = parts.map(|(part, n)| format!("q{n} AS ({} RETURNING 1)", part.text())).collect();
        let checks = self.statements.iter().zip(0..).filter(|(part, _)| part.touches == ExpectedRows::One);
        let checks: Vec<_> = checks.map(|(_, n)| format!("1 / (SELECT count(*) FROM q{n})")).collect();
        let text = format!("WITH {} SELECT ARRAY[{}]::BIGINT[]", parts.join(", "), checks.join(", "));
        let query = sqlx::query_with(AssertSqlSafe(text), self.arguments);
        match patiently(query.execute(connection)).await {
            Err(error) if error.is_division_by_zero() => Err(Error::Conflict),
            done => done.map(drop),
        }
    }
}

impl Waiting {
    /// Its text, with the values' numbers as they are in the whole batch.
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
