//! The database: opening it, reading, writing, closing.

use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::future::BoxFuture;
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection, PgConnection, SqliteConnection};
use tokio::sync::watch;

use super::counters::Counters;
use super::error::{Error, Result};
use super::metrics::StoreMetrics;
use super::pool::Pool;
use super::tx::{Tx, TxState, outside_a_write};
use super::{migrate, postgres, revision, writer};
use crate::domain::audit::Entry;

/// A handle to the database; clones share it. Callers never see which of the two it is.
#[derive(Clone)]
pub struct Db {
    backend: Database,
    counters: Arc<Counters>,
    only_reads: bool,
}

#[derive(Clone)]
enum Database {
    Sqlite { read: Pools<SqliteConnection>, write: writer::WriterHandle },
    Postgres(Pools<PgConnection>),
}

/// The connections that requests share, and one reserved for the catalogue, which therefore sees changes even if all
/// others are in use.
struct Pools<C: Connection> {
    shared: Pool<C>,
    catalogue: Pool<C>,
}

impl<C: Connection> Clone for Pools<C> {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone(), catalogue: self.catalogue.clone() }
    }
}

impl<C: Connection> Pools<C> {
    fn over(shared: Pool<C>) -> Self {
        Self { catalogue: shared.same(1), shared }
    }

    async fn close(&self) {
        self.shared.close().await;
        self.catalogue.close().await;
    }
}

impl Db {
    /// Opens `sqlite://path` (created if missing) or `postgres://…`.
    pub async fn open(url: &str) -> Result<Self> {
        let counters = Arc::new(Counters::default());
        let backend = if url.starts_with("sqlite:") {
            if url.contains(":memory:") || url.contains("mode=memory") {
                return Err(Error::other(
                    "a database in memory is not supported: each connection would open another one",
                ));
            }
            let options = writer::options(SqliteConnectOptions::from_str(url)?);
            let write = writer::start(options.clone(), counters.clone()).await?;
            Database::Sqlite { read: Pools::over(writer::readers(options)), write }
        } else if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            let pools = Pools::over(postgres::pool(PgConnectOptions::from_str(url)?).await?);
            // Opened now, so that the first request does not wait for a busy server to accept it.
            pools.catalogue.lend().await?.give_back();
            Database::Postgres(pools)
        } else {
            return Err(Error::other("its address must begin with sqlite:// or postgres://"));
        };
        Ok(Self { backend, counters, only_reads: false })
    }

    /// Migrates the schema to this version; several nodes may do so concurrently.
    pub(in crate::storage) async fn migrate_schema(&self) -> Result<()> {
        match &self.backend {
            Database::Sqlite { write, .. } => migrate::sqlite(write.options()).await,
            Database::Postgres(pools) => migrate::postgres(pools.shared.options()).await,
        }
    }

    /// The same database, read-only: every write fails with [`Error::ReadOnly`].
    #[must_use]
    pub fn reading(&self) -> Self {
        Self { only_reads: true, ..self.clone() }
    }

    /// Returns a reader. It holds a connection only while one of its statements runs.
    pub fn read(&self) -> Reader {
        let pool = match &self.backend {
            Database::Sqlite { read, .. } => ReaderPool::Sqlite(read.shared.clone()),
            Database::Postgres(pools) => ReaderPool::Postgres(pools.shared.clone()),
        };
        self.reader(pool)
    }

    /// Returns a reader on the catalogue's own connection.
    pub(in crate::storage) fn read_for_the_catalogue(&self) -> Reader {
        let pool = match &self.backend {
            Database::Sqlite { read, .. } => ReaderPool::Sqlite(read.catalogue.clone()),
            Database::Postgres(pools) => ReaderPool::Postgres(pools.catalogue.clone()),
        };
        self.reader(pool)
    }

    fn reader(&self, pool: ReaderPool) -> Reader {
        Reader { pool, notes: TxState::default(), counters: self.counters.clone() }
    }

    /// Runs a closure in a durable transaction: committed if it returns `Ok`, otherwise rolled back.
    pub async fn write<T, W>(&self, work: W) -> Result<T>
    where
        T: Send + 'static,
        W: for<'t, 'c> Fn(&'t mut Tx<'c>) -> BoxFuture<'t, Result<T>> + Send + Sync + 'static,
    {
        outside_a_write()?;
        if self.only_reads {
            return Err(Error::ReadOnly);
        }
        self.counters.writes.fetch_add(1, Ordering::Relaxed);
        match &self.backend {
            Database::Sqlite { write, .. } => write.run(work).await,
            Database::Postgres(pools) => postgres::write(&pools.shared, &self.counters, &work).await,
        }
    }

    /// The number of statements run so far, without BEGIN and COMMIT.
    pub fn statements(&self) -> u64 {
        self.counters.statements.load(Ordering::Relaxed)
    }

    /// The number of write closures accepted so far.
    pub fn writes(&self) -> u64 {
        self.counters.writes.load(Ordering::Relaxed)
    }

    /// Changes whenever this process has committed messages to the outbox; they can be claimed by then.
    pub fn messages(&self) -> watch::Receiver<()> {
        self.counters.messages.subscribe()
    }

    /// Sets who is told of each committed audit entry, once, by every clone of this handle. It is called where the commit
    /// is made, before the closure's caller gets its answer. Only the first listener counts.
    pub fn listen(&self, listener: impl Fn(&Entry) + Send + Sync + 'static) {
        self.counters.listener.set(Box::new(listener));
    }

    /// A snapshot of the store's metrics.
    pub fn figures(&self) -> StoreMetrics {
        let (pool, writer) = match &self.backend {
            Database::Sqlite { read, write } => (read.shared.figures(), Some(write.figures())),
            Database::Postgres(pools) => (pools.shared.figures(), None),
        };
        StoreMetrics { statements: self.statements(), writes: self.writes(), pool, writer }
    }

    /// Names the parts in which work has been waiting for at least `patience` without progress.
    pub(crate) fn stalled(&self, patience: Duration) -> impl Iterator<Item = &'static str> {
        let (pool, writer) = match &self.backend {
            Database::Sqlite { read, write } => {
                (read.shared.is_stalled(patience), write.is_stalled(patience))
            }
            Database::Postgres(pools) => (pools.shared.is_stalled(patience), false),
        };
        [(pool, "the database's connections"), (writer, "the writer")]
            .into_iter()
            .filter_map(|(stalled, name)| stalled.then_some(name))
    }

    /// Returns whether the database answers within this time, on a separate connection: all pooled ones may be in use.
    pub async fn answers(&self, patience: Duration) -> bool {
        let pool = match &self.backend {
            Database::Sqlite { read, .. } => ReaderPool::Sqlite(read.shared.same(1)),
            Database::Postgres(pools) => ReaderPool::Postgres(pools.shared.same(1)),
        };
        let mut reader = self.reader(pool);
        let mut tx = reader.tx();
        matches!(tokio::time::timeout(patience, revision::current(&mut tx)).await, Ok(Ok(_)))
    }

    /// The number of writes of this process that changed what the catalogue caches.
    pub(in crate::storage) fn catalogue_changes(&self) -> u64 {
        self.counters.catalogue_changes.load(Ordering::Acquire)
    }

    /// Finishes the queued writes, then closes every connection.
    pub async fn close(&self) {
        match &self.backend {
            Database::Sqlite { read, write, .. } => {
                read.close().await;
                write.close().await;
            }
            Database::Postgres(pools) => pools.close().await,
        }
    }
}

/// Runs reads. Each statement borrows a connection of its own and sees what is committed when it begins.
pub struct Reader {
    pool: ReaderPool,
    notes: TxState,
    counters: Arc<Counters>,
}

enum ReaderPool {
    Sqlite(Pool<SqliteConnection>),
    Postgres(Pool<PgConnection>),
}

impl Reader {
    /// The handle that the tables' functions take.
    pub fn tx(&mut self) -> Tx<'_> {
        match &self.pool {
            ReaderPool::Sqlite(pool) => Tx::reading(pool, &mut self.notes),
            ReaderPool::Postgres(pool) => Tx::reading(pool, &mut self.notes),
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.counters.add(&self.notes, false);
    }
}
