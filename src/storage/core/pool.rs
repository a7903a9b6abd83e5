//! A pool of open connections.
//!
//! Why not sqlx's pool: with every return it spawns a task that pings, which on SQLite costs as much as an indexed read
//! and on PostgreSQL a round trip. Here a connection returns as it is; it is closed if its last statement was not run
//! to completion, and pinged before reuse if it was idle for a while.
//!
//! A caller waits for a connection for at most a second, then gets [`Error::Busy`].

use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use sqlx::Connection;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};

use super::error::{Error, Result};
use super::metrics::PoolMetrics;
use super::patience::PATIENCE;
use super::progress::Mark;

/// Idle time below which a connection is not pinged before reuse.
const TRUSTED: Duration = Duration::from_secs(1);
/// Time limit for a caller that waits for a connection, or for its turn to write.
pub(in crate::storage) const WAIT: Duration = Duration::from_secs(1);

/// A pool; clones share it.
pub(in crate::storage) struct Pool<C: Connection>(Arc<PoolInner<C>>);

struct PoolInner<C: Connection> {
    options: C::Options,
    idle: Mutex<Vec<(C, Instant)>>,
    permits: Arc<Semaphore>,
    most: usize,
    /// Callers that had to wait for a connection, and how many of them timed out.
    waits: AtomicU64,
    refused: AtomicU64,
    /// Marks waiting callers; a returned connection is progress.
    mark: Mark,
}

impl<C: Connection> Clone for Pool<C> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<C: Connection> Pool<C> {
    /// A pool of at most `most` connections; none is opened yet.
    pub(super) fn new(options: C::Options, most: usize) -> Self {
        let permits = Arc::new(Semaphore::new(most));
        let (idle, waits, refused) = (Mutex::default(), AtomicU64::new(0), AtomicU64::new(0));
        Self(Arc::new(PoolInner { options, idle, permits, most, waits, refused, mark: Mark::default() }))
    }

    /// Another pool to the same database.
    pub(super) fn same(&self, most: usize) -> Self {
        Self::new(self.0.options.clone(), most)
    }

    /// The options that its connections are opened with.
    pub(super) fn options(&self) -> &C::Options {
        &self.0.options
    }

    /// Borrows a connection.
    pub(super) async fn lend(&self) -> Result<PooledConnection<C>> {
        let permit = match Arc::clone(&self.0.permits).try_acquire_owned() {
            Ok(permit) => permit,
            // Boxed like the opening below: most callers need neither and would carry both futures' size.
            Err(_) => self.0.wait().boxed().await?,
        };
        let connection = match self.0.last() {
            Some((connection, since)) if since.elapsed() < TRUSTED => connection,
            doubtful => self.0.living(doubtful).boxed().await?,
        };
        Ok(PooledConnection { connection: Some(connection), pool: self.0.clone(), _permit: permit })
    }

    /// A snapshot of the pool's metrics.
    pub(super) fn figures(&self) -> PoolMetrics {
        let PoolInner { permits, most, waits, refused, .. } = &*self.0;
        PoolMetrics {
            most: *most,
            in_use: most.saturating_sub(permits.available_permits()),
            waits: waits.load(Ordering::Relaxed),
            refused: refused.load(Ordering::Relaxed),
        }
    }

    /// Returns whether all connections have been in use for `patience`, with callers waiting and none returned.
    pub(super) fn is_stalled(&self, patience: Duration) -> bool {
        self.0.permits.available_permits() == 0 && self.0.mark.is_stalled(patience)
    }

    /// Closes the idle connections; those in use close when they are returned.
    pub(super) async fn close(&self) {
        self.0.permits.close();
        let idle = std::mem::take(&mut *self.0.idle());
        for (connection, _) in idle {
            // A server that hangs must not block shutdown.
            let _ = timeout(PATIENCE, connection.close()).await;
        }
    }
}

impl<C: Connection> PoolInner<C> {
    async fn wait(&self) -> Result<OwnedSemaphorePermit> {
        self.waits.fetch_add(1, Ordering::Relaxed);
        self.mark.begin();
        let Ok(permit) = timeout(WAIT, Arc::clone(&self.permits).acquire_owned()).await else {
            self.refused.fetch_add(1, Ordering::Relaxed);
            return Err(Error::busy("no connection became free"));
        };
        permit.map_err(|_| Error::busy("the database was closed"))
    }

    fn idle(&self) -> MutexGuard<'_, Vec<(C, Instant)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The connection used last, so that the number in use stays small.
    fn last(&self) -> Option<(C, Instant)> {
        self.idle().pop()
    }

    /// The first idle connection that answers a ping, or a new one.
    async fn living(&self, mut doubtful: Option<(C, Instant)>) -> Result<C> {
        let find = async {
            while let Some((mut connection, since)) = doubtful {
                if since.elapsed() < TRUSTED || connection.ping().await.is_ok() {
                    return Ok(connection);
                }
                doubtful = self.last();
            }
            Ok(C::connect_with(&self.options).await?)
        };
        timeout(PATIENCE, find).await.unwrap_or_else(|_| Err(Error::busy("the database does not answer")))
    }
}

/// A borrowed connection. It is closed unless it is returned explicitly: a drop may mean an unfinished statement.
pub(in crate::storage) struct PooledConnection<C: Connection> {
    /// `None` only during drop.
    connection: Option<C>,
    pool: Arc<PoolInner<C>>,
    _permit: OwnedSemaphorePermit,
}

impl<C: Connection> Drop for PooledConnection<C> {
    fn drop(&mut self) {
        self.pool.mark.rest();
    }
}

impl<C: Connection> PooledConnection<C> {
    /// Returns it to its pool.
    pub(super) fn give_back(mut self) {
        if let Some(connection) = self.connection.take()
            && !self.pool.permits.is_closed()
        {
            self.pool.idle().push((connection, Instant::now()));
        }
    }
}

impl<C: Connection> Deref for PooledConnection<C> {
    type Target = C;

    #[expect(clippy::expect_used, reason = "only `give_back` takes it")]
    fn deref(&self) -> &C {
        self.connection.as_ref().expect("not given back")
    }
}

impl<C: Connection> DerefMut for PooledConnection<C> {
    #[expect(clippy::expect_used, reason = "only `give_back` takes it")]
    fn deref_mut(&mut self) -> &mut C {
        self.connection.as_mut().expect("not given back")
    }
}
