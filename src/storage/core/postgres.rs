//! Writes on PostgreSQL: one transaction per closure, retried when it loses a race.

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, PgConnection};

use super::counters::Counters;
use super::error::Result;
use super::pool::{Pool, PooledConnection};
use super::tx::{self, Tx, TxState, WriteFn};

const CONNECTIONS: usize = 16;
/// Maximum number of runs of a closure that loses races. Conditional statements queue, so even one loss is rare.
const ROUNDS: u32 = 8;

/// A pool with its first connection opened, so that a wrong address fails at start.
pub(super) async fn pool(options: PgConnectOptions) -> Result<Pool<PgConnection>> {
    let options = options.application_name("vestibule").disable_statement_logging();
    let pool: Pool<PgConnection> = Pool::new(options, CONNECTIONS);
    pool.lend().await?.give_back();
    Ok(pool)
}

/// Runs the closure in a transaction of its own.
pub(super) async fn write<T>(
    pool: &Pool<PgConnection>,
    counters: &Counters,
    work: &impl WriteFn<T>,
) -> Result<T> {
    let mut round = 1;
    loop {
        match Lease::of(pool, counters).await?.run(work).await {
            Err(error) if error.is_lost_race() && round < ROUNDS => round += 1,
            outcome => return outcome,
        }
        tokio::task::yield_now().await;
    }
}

/// A connection for one transaction. It returns to the pool only if the transaction ran to its end: the caller may have
/// been dropped halfway, or the server may hang.
struct Lease<'a> {
    connection: PooledConnection<PgConnection>,
    noted: Noted<'a>,
}

/// The totals of a transaction, counted on drop whether it ran to its end or not.
struct Noted<'a> {
    notes: TxState,
    counters: &'a Counters,
    committed: bool,
}

impl<'a> Lease<'a> {
    async fn of(pool: &Pool<PgConnection>, counters: &'a Counters) -> Result<Self> {
        let noted = Noted { notes: TxState::default(), counters, committed: false };
        Ok(Self { connection: pool.lend().await?, noted })
    }

    async fn run<T>(mut self, work: &impl WriteFn<T>) -> Result<T> {
        let mut tx = Tx::writing(&mut *self.connection, &mut self.noted.notes);
        let outcome = match tx::run(work, &mut tx).await {
            Ok(value) => tx.commit().await.map(|()| value),
            failed => failed,
        };
        match &outcome {
            Ok(_) => self.noted.committed = true,
            Err(error) if tx.hangs() && !error.is_lost_race() => return outcome,
            Err(_) => tx.undo().await?,
        }
        self.connection.give_back();
        outcome
    }
}

impl Drop for Noted<'_> {
    fn drop(&mut self) {
        self.counters.add(&self.notes, self.committed);
    }
}
