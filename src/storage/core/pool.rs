//! Connections kept open for the next user.
//!
//! Why not sqlx's pool: with every return it spawns a task that pings, which on SQLite costs as much as an indexed read
//! and on PostgreSQL a round trip. Here a connection goes back as it is, one whose last statement was not seen to its end
//! is closed, and one that was idle for a while is pinged before it is reused.
//!
//! A caller waits for a connection for a second at most: a request that cannot be served soon is told so.

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
use super::progress::Mark;
use super::tx::PATIENCE;

/// Idle time below which a connection is not pinged before reuse.
const TRUSTED: Duration = Duration::from_secs(1);
/// How long a caller waits for a connection, or for its turn to write.
pub(in crate::storage) const WAIT: Duration = Duration::from_secs(1);

/// A pool; clones share it.
pub(in crate::storage) struct Pool<C: Connection>(Arc<Inner<C>>);

struct Inner<C: Connection> {
    options: C::Options,
    idle: Mutex<Vec<(C, Instant)>>,
    permits: Arc<Semaphore>,
    most: usize,
    /// How many callers had to wait for a connection, and how many of them in vain.
    waits: AtomicU64,
    refused: AtomicU64,
    /// Callers that wait; progress is a connection that was returned.
    mark: Mark,
}

impl<C: Connection> Clone for Pool<C> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<C: Connection> Pool<C> {
    /// A pool of at most so many connections; none is opened yet.
    pub(super) fn new(options: C::Options, most: usize) -> Self {
        let permits = Arc::new(Semaphore::new(most));
        let (idle, waits, refused) = (Mutex::default(), AtomicU64::new(0), AtomicU64::new(0));
        Self(Arc::new(Inner { options, idle, permits, most, waits, refused, mark: Mark::default() }))
    }

    /// Another pool of the same database.
    pub(super) fn same(&self, most: usize) -> Self {
        Self::new(self.0.options.clone(), most)
    }

    /// What its connections are opened with.
    pub(super) fn options(&self) -> &C::Options {
        &self.0.options
    }

    /// Borrows a connection.
    pub(super) async fn lend(&self) -> Result<PooledConnection<C>> {
        let permit = match Arc::clone(&self.0.permits).try_acquire_owned() {
            Ok(permit) => permit,
            // Boxed like the opening below: most callers need neither and would carry the room for both.
            Err(_) => self.0.wait().boxed().await?,
        };
        let connection = match self.0.last() {
            Some((connection, since)) if since.elapsed() < TRUSTED => connection,
            doubtful => self.0.living(doubtful).boxed().await?,
        };
        Ok(PooledConnection { connection: Some(connection), pool: self.0.clone(), _permit: permit })
    }

    /// How it is used.
    pub(super) fn figures(&self) -> PoolMetrics {
        let Inner { permits, most, waits, refused, .. } = &*self.0;
        PoolMetrics {
            most: *most,
            in_use: most.saturating_sub(permits.available_permits()),
            waits: waits.load(Ordering::Relaxed),
            refused: refused.load(Ordering::Relaxed),
        }
    }

    /// Has every connection been in use for so long, with callers waiting and none returned?
    pub(super) fn is_stalled(&self, patience: Duration) -> bool {
        self.0.permits.available_permits() == 0 && self.0.mark.is_stalled(patience)
    }

    /// Closes what is idle; what is lent closes when it comes back.
    pub(super) async fn close(&self) {
        self.0.permits.close();
        let idle = std::mem::take(&mut *self.0.idle());
        for (connection, _) in idle {
            // A server that hangs must not keep the process from ending.
            let _ = timeout(PATIENCE, connection.close()).await;
        }
    }
}

impl<C: Connection> Inner<C> {
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

    /// The connection used last, so that the fewest stay in use.
    fn last(&self) -> Option<(C, Instant)> {
        self.idle().pop()
    }

    /// The first idle connection that answers, or a new one.
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

/// A borrowed connection. Unless it is given back it is closed: whoever dropped it may not have seen its statement's end.
pub(in crate::storage) struct PooledConnection<C: Connection> {
    /// `None` only while it is dropped.
    connection: Option<C>,
    pool: Arc<Inner<C>>,
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
