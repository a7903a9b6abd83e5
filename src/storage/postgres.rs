//! Writing to PostgreSQL: a transaction for each closure, run again when it lost a race.

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection};

use super::db::{Counters, Work};
use super::error::{Error, Result};
use super::pool::{Lent, Pool};
use super::tx::{Notes, Tx, patiently};

const CONNECTIONS: usize = 16;
/// How often a closure that lost a race is run in all. Conditional statements queue, so even one loss is rare.
const ROUNDS: u32 = 8;

/// A pool whose first connection was made: an address that leads nowhere is told at start.
pub(super) async fn pool(options: PgConnectOptions) -> Result<Pool<PgConnection>> {
    let options = options.application_name("vestibule").disable_statement_logging();
    let pool = Pool::new(options, CONNECTIONS);
    pool.lend().await?;
    Ok(pool)
}

/// Runs the closure in a transaction of its own.
pub(super) async fn write<T>(
    pool: &Pool<PgConnection>,
    counters: &Counters,
    work: &impl Work<T>,
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

/// A connection for one transaction. Unless the end of that was seen, it does not go back to the pool:
/// the caller may have been dropped in the middle, or the server may hang.
struct Lease<'a> {
    connection: Lent<PgConnection>,
    notes: Notes,
    counters: &'a Counters,
    committed: bool,
}

impl<'a> Lease<'a> {
    async fn of(pool: &Pool<PgConnection>, counters: &'a Counters) -> Result<Self> {
        let connection = pool.lend().await?;
        Ok(Self {
            connection,
            notes: Notes { unsettled: true, ..Notes::default() },
            counters,
            committed: false,
        })
    }

    async fn run<T>(mut self, work: &impl Work<T>) -> Result<T> {
        let mut transaction = patiently(self.connection.begin()).await?;
        let outcome = work(&mut Tx::postgres(&mut transaction, &mut self.notes)).await;
        let hangs = self.notes.unsettled && !outcome.as_ref().is_err_and(Error::is_lost_race);
        self.notes.unsettled = true;
        match outcome {
            Ok(_) => {
                patiently(transaction.commit()).await?;
                self.committed = true;
            }
            Err(_) if hangs => return outcome,
            Err(_) => patiently(transaction.rollback()).await?,
        }
        self.notes.unsettled = false;
        outcome
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        self.counters.add(&self.notes, self.committed);
        if self.notes.unsettled {
            self.connection.spoil();
        }
    }
}
