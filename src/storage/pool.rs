//! Connections kept open for the next user.
//!
//! Why not sqlx's pool: with every return it spawns a task that pings, which on SQLite costs as much as an indexed read
//! and on PostgreSQL a round trip. Here a connection goes back as it is, one whose course was not seen to its end is
//! closed, and one that lay idle is asked whether it still lives before it is trusted.

use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use sqlx::Connection;
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};

use super::error::{Error, Result};
use super::figures::PoolFigures;
use super::tx::PATIENCE;

/// How long a connection may lie idle and be trusted all the same.
const TRUSTED: Duration = Duration::from_secs(1);

/// A pool; clones share it.
pub(super) struct Pool<C: Connection>(Arc<Inner<C>>);

struct Inner<C: Connection> {
    options: C::Options,
    idle: Mutex<Vec<(C, Instant)>>,
    permits: Arc<Semaphore>,
    most: usize,
    /// How many had to wait for a connection, and how many of them in vain.
    waits: AtomicU64,
    refused: AtomicU64,
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
        let (waits, refused) = (AtomicU64::new(0), AtomicU64::new(0));
        Self(Arc::new(Inner { options, idle: Mutex::new(Vec::new()), permits, most, waits, refused }))
    }

    /// What its connections are opened with.
    pub(super) fn options(&self) -> &C::Options {
        &self.0.options
    }

    /// A connection of one's own.
    pub(super) async fn lend(&self) -> Result<Lent<C>> {
        let lend = async {
            let permit = self.0.permit().await.map_err(|_| Error::busy("the database was closed"))?;
            let connection = Some(self.0.connection().await?);
            Ok(Lent { connection, spoilt: false, pool: self.0.clone(), _permit: permit })
        };
        timeout(PATIENCE, lend).await.unwrap_or_else(|_| {
            self.0.refused.fetch_add(1, Ordering::Relaxed);
            Err(Error::busy("no connection became free"))
        })
    }

    /// How it is used.
    pub(super) fn figures(&self) -> PoolFigures {
        let Inner { permits, most, waits, refused, .. } = &*self.0;
        PoolFigures {
            most: *most,
            in_use: most.saturating_sub(permits.available_permits()),
            waits: waits.load(Ordering::Relaxed),
            refused: refused.load(Ordering::Relaxed),
        }
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
    /// Leave to have a connection; who has to wait for it is counted.
    async fn permit(&self) -> std::result::Result<OwnedSemaphorePermit, AcquireError> {
        if let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() {
            return Ok(permit);
        }
        self.waits.fetch_add(1, Ordering::Relaxed);
        Arc::clone(&self.permits).acquire_owned().await
    }

    fn idle(&self) -> MutexGuard<'_, Vec<(C, Instant)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The one used last, so that the fewest stay in use; a new one if none is left or lives.
    async fn connection(&self) -> Result<C> {
        match self.last() {
            Some((connection, since)) if since.elapsed() < TRUSTED => Ok(connection),
            // Rare, so that nobody who reads carries the room for making a connection.
            doubtful => self.living(doubtful).boxed().await,
        }
    }

    async fn living(&self, mut doubtful: Option<(C, Instant)>) -> Result<C> {
        while let Some((mut connection, since)) = doubtful {
            if since.elapsed() < TRUSTED || connection.ping().await.is_ok() {
                return Ok(connection);
            }
            doubtful = self.last();
        }
        Ok(C::connect_with(&self.options).await?)
    }

    fn last(&self) -> Option<(C, Instant)> {
        self.idle().pop()
    }
}

/// A connection that goes back to its pool when it is dropped.
pub(super) struct Lent<C: Connection> {
    /// `None` only while it is dropped.
    connection: Option<C>,
    spoilt: bool,
    pool: Arc<Inner<C>>,
    _permit: OwnedSemaphorePermit,
}

impl<C: Connection> Lent<C> {
    /// Something may still hang on the connection: it will be closed and not given back.
    pub(super) fn spoil(&mut self) {
        self.spoilt = true;
    }
}

impl<C: Connection> Drop for Lent<C> {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take()
            && !self.spoilt
            && !self.pool.permits.is_closed()
        {
            self.pool.idle().push((connection, Instant::now()));
        }
    }
}

impl<C: Connection> Deref for Lent<C> {
    type Target = C;

    #[expect(clippy::expect_used, reason = "only `drop` takes it")]
    fn deref(&self) -> &C {
        self.connection.as_ref().expect("not dropped")
    }
}

impl<C: Connection> DerefMut for Lent<C> {
    #[expect(clippy::expect_used, reason = "only `drop` takes it")]
    fn deref_mut(&mut self) -> &mut C {
        self.connection.as_mut().expect("not dropped")
    }
}
