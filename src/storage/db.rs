//! The database: opening it, reading, writing, closing.

use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::future::BoxFuture;
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{PgConnection, SqliteConnection};
use tokio::sync::watch;

use super::error::{Error, Result};
use super::figures::Figures;
use super::pool::{Lent, Pool};
use super::tx::{Notes, Tx};
use super::{migrate, postgres, writer};

/// A handle to the database; clones share it. Callers never see which of the two it is.
#[derive(Clone)]
pub struct Db {
    backend: Backend,
    counters: Arc<Counters>,
}

#[derive(Clone)]
enum Backend {
    Sqlite { read: Pool<SqliteConnection>, write: writer::Handle },
    Postgres(Pool<PgConnection>),
}

/// What all transactions add up to.
#[derive(Debug, Default)]
pub(super) struct Counters {
    statements: AtomicU64,
    writes: AtomicU64,
    catalogue_changes: AtomicU64,
    messages: watch::Sender<()>,
}

impl Counters {
    /// Adds what a transaction did; called once its outcome is certain.
    pub(super) fn add(&self, notes: &Notes, committed: bool) {
        self.statements.fetch_add(notes.statements, Ordering::Relaxed);
        if committed && notes.catalogue_changed {
            self.catalogue_changes.fetch_add(1, Ordering::Release);
        }
        if committed && notes.message {
            self.messages.send_replace(());
        }
    }
}

/// A unit of writing: a closure over a [`Tx`]. It may be run again, so it has no effect outside the transaction.
pub trait Work<T>:
    for<'t, 'c> Fn(&'t mut Tx<'c>) -> BoxFuture<'t, Result<T>> + Send + Sync + 'static
{
}

impl<T, W> Work<T> for W where
    W: for<'t, 'c> Fn(&'t mut Tx<'c>) -> BoxFuture<'t, Result<T>> + Send + Sync + 'static
{
}

impl Db {
    /// Opens `sqlite://path` (made if it is not there) or `postgres://…`.
    pub async fn open(url: &str) -> Result<Self> {
        let counters = Arc::new(Counters::default());
        let backend = if url.starts_with("sqlite:") {
            if url.contains(":memory:") || url.contains("mode=memory") {
                return Err(Error::other(
                    "a database in memory is not offered: each connection would see another",
                ));
            }
            let options = writer::options(SqliteConnectOptions::from_str(url)?);
            let write = writer::start(options.clone(), counters.clone()).await?;
            Backend::Sqlite { read: writer::readers(options), write }
        } else if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            Backend::Postgres(postgres::pool(PgConnectOptions::from_str(url)?).await?)
        } else {
            return Err(Error::other("its address must begin with sqlite:// or postgres://"));
        };
        Ok(Self { backend, counters })
    }

    /// Brings the schema up to this version; several nodes may do so at once.
    pub async fn migrate(&self) -> Result<()> {
        match &self.backend {
            Backend::Sqlite { write, .. } => migrate::sqlite(write.options()).await,
            Backend::Postgres(pool) => migrate::postgres(pool.options()).await,
        }
    }

    /// A connection to read with.
    pub async fn read(&self) -> Result<Reader> {
        let connection = match &self.backend {
            Backend::Sqlite { read, .. } => ReaderConnection::Sqlite(read.lend().await?),
            Backend::Postgres(pool) => ReaderConnection::Postgres(pool.lend().await?),
        };
        Ok(Reader { connection, notes: Notes::default(), counters: self.counters.clone() })
    }

    /// Runs a closure in a durable transaction: committed if it gives `Ok`, otherwise undone.
    pub async fn write<T, W>(&self, work: W) -> Result<T>
    where
        T: Send + 'static,
        W: for<'t, 'c> Fn(&'t mut Tx<'c>) -> BoxFuture<'t, Result<T>> + Send + Sync + 'static,
    {
        self.counters.writes.fetch_add(1, Ordering::Relaxed);
        match &self.backend {
            Backend::Sqlite { write, .. } => write.run(work).await,
            Backend::Postgres(pool) => postgres::write(pool, &self.counters, &work).await,
        }
    }

    /// How many statements were run so far, other than BEGIN and COMMIT.
    pub fn statements(&self) -> u64 {
        self.counters.statements.load(Ordering::Relaxed)
    }

    /// How many closures were handed in so far to be written.
    pub fn writes(&self) -> u64 {
        self.counters.writes.load(Ordering::Relaxed)
    }

    /// Changes whenever this process has put messages into the outbox: what was committed before is there to be claimed.
    pub fn messages(&self) -> watch::Receiver<()> {
        self.counters.messages.subscribe()
    }

    /// How the store is used.
    pub fn figures(&self) -> Figures {
        let (pool, writer) = match &self.backend {
            Backend::Sqlite { read, write } => (read.figures(), Some(write.figures())),
            Backend::Postgres(pool) => (pool.figures(), None),
        };
        Figures { statements: self.statements(), writes: self.writes(), pool, writer }
    }

    /// How many writes of this process changed what the catalogue caches.
    pub(super) fn catalogue_changes(&self) -> u64 {
        self.counters.catalogue_changes.load(Ordering::Acquire)
    }

    /// Finishes the writes that wait, then closes every connection.
    pub async fn close(&self) {
        match &self.backend {
            Backend::Sqlite { read, write, .. } => {
                read.close().await;
                write.close().await;
            }
            Backend::Postgres(pool) => pool.close().await,
        }
    }
}

/// A pooled connection to read with; each statement sees what is committed when it begins.
pub struct Reader {
    connection: ReaderConnection,
    notes: Notes,
    counters: Arc<Counters>,
}

enum ReaderConnection {
    Sqlite(Lent<SqliteConnection>),
    Postgres(Lent<PgConnection>),
}

impl Reader {
    /// What the repositories' functions take.
    pub fn tx(&mut self) -> Tx<'_> {
        match &mut self.connection {
            ReaderConnection::Sqlite(connection) => Tx::reading(&mut **connection, &mut self.notes),
            ReaderConnection::Postgres(connection) => Tx::reading(&mut **connection, &mut self.notes),
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.counters.add(&self.notes, false);
        if self.notes.unsettled {
            match &mut self.connection {
                ReaderConnection::Sqlite(connection) => connection.spoil(),
                ReaderConnection::Postgres(connection) => connection.spoil(),
            }
        }
    }
}
