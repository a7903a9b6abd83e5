//! Writes on SQLite: one writer task that commits all waiting closures together.
//!
//! SQLite allows one writer at a time, and a durable commit costs a disk flush, so closures share both: the writer
//! takes all that wait and runs them in one `BEGIN IMMEDIATE .. COMMIT`. If one fails, all are rolled back and each is
//! run again alone, so that a failure does not affect the others. (Savepoints would also work, but make every write 40
//! % slower.)
//!
//! A caller whose turn does not come within a second withdraws its closure, which is then not run, and gets
//! [`Error::Busy`]. Once the writer has taken the closure, the caller waits for its outcome.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection};
use tokio::sync::{Mutex, Notify, mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};
use tracing::{Instrument, Span};

use super::counters::Counters;
use super::error::{Error, Result};
use super::metrics::WriterMetrics;
use super::pool::{Pool, WAIT};
use super::progress::Mark;
use super::tx::{self, Tx, TxState, WriteFn};
use crate::domain::histogram::Histogram;

/// Maximum number of waiting closures, and so of closures per commit.
const QUEUE: usize = 512;
/// Histogram bounds: closures per commit.
const GROUPS: &[u64] = &[1, 2, 4, 8, 16, 32, 64, 128, 256];
/// Time limit for another process's write lock.
const LOCK_WAIT: Duration = WAIT;
/// Read connections: each has its own thread and page cache.
const READERS: usize = 4;

/// The options of every connection.
pub(super) fn options(options: SqliteConnectOptions) -> SqliteConnectOptions {
    options
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(LOCK_WAIT)
        .disable_statement_logging()
}

/// Read-only connections.
pub(super) fn readers(options: SqliteConnectOptions) -> Pool<SqliteConnection> {
    Pool::new(options.pragma("query_only", "1").create_if_missing(false), READERS)
}

/// Opens a read-write connection. Retries, because switching a new file to WAL ignores the busy time-out.
pub(super) async fn connect(options: &SqliteConnectOptions) -> Result<SqliteConnection> {
    for _ in 0..40 {
        match options.connect().await.map_err(Error::from) {
            Err(Error::Busy(_)) => tokio::time::sleep(Duration::from_millis(50)).await,
            outcome => return outcome,
        }
    }
    Ok(options.connect().await?)
}

/// The sending side of the writer's queue.
#[derive(Clone)]
pub(super) struct WriterHandle {
    queue: mpsc::Sender<Box<dyn WriteJob>>,
    options: Arc<SqliteConnectOptions>,
    closing: Arc<Notify>,
    task: Arc<Mutex<Option<JoinHandle<()>>>>,
    commits: Arc<Histogram>,
    mark: Arc<Mark>,
}

impl WriterHandle {
    /// The options that the writer's connection is opened with.
    pub(super) fn options(&self) -> &SqliteConnectOptions {
        &self.options
    }

    /// Queues a closure and waits until it is committed or rolled back.
    pub(super) async fn run<T: Send + 'static>(&self, work: impl WriteFn<T>) -> Result<T> {
        let deadline = Instant::now() + WAIT;
        let place = match timeout_at(deadline, self.queue.reserve()).await {
            Err(_) => return Err(Error::busy("too many writes wait")),
            Ok(Err(_)) => return Err(Error::busy("closed")),
            Ok(Ok(place)) => place,
        };
        let (answer, mut outcome) = oneshot::channel();
        let turn = JobClaim::default();
        self.mark.begin();
        place.send(Box::new(PendingWrite {
            work,
            outcome: None,
            answer,
            turn: turn.clone(),
            span: Span::current(),
        }));
        let outcome = match timeout_at(deadline, &mut outcome).await {
            Err(_) if turn.take() => return Err(Error::busy("too many writes wait")),
            // The writer has taken it: only its answer tells whether it is committed.
            Err(_) => outcome.await,
            Ok(outcome) => outcome,
        };
        outcome.unwrap_or_else(|_| Err(Error::busy("closed")))
    }

    /// A snapshot of the writer's metrics.
    pub(super) fn figures(&self) -> WriterMetrics {
        let waiting = self.queue.max_capacity() - self.queue.capacity();
        WriterMetrics { waiting, commits: self.commits.read() }
    }

    /// Returns whether closures have been waiting for `patience` and none got an outcome.
    pub(super) fn is_stalled(&self, patience: Duration) -> bool {
        self.mark.is_stalled(patience)
    }

    /// Runs the waiting closures, then stops.
    pub(super) async fn close(&self) {
        self.closing.notify_one();
        if let Some(task) = self.task.lock().await.take() {
            let _ = task.await;
        }
    }
}

/// Opens the file and starts the writer.
pub(super) async fn start(options: SqliteConnectOptions, counters: Arc<Counters>) -> Result<WriterHandle> {
    make_private(options.get_filename())?;
    let connection = Some(connect(&options).await?);
    let (queue, mut waiting) = mpsc::channel(QUEUE);
    let closing = Arc::new(Notify::new());
    let close = closing.clone();
    let options = Arc::new(options);
    let commits = Arc::new(Histogram::new(GROUPS));
    let mark = Arc::new(Mark::default());
    let progress = Arc::clone(&mark);
    let mut writer = Writer { options: options.clone(), connection, counters, commits: commits.clone() };
    let task = tokio::spawn(async move {
        let mut batch = Vec::new();
        loop {
            tokio::select! {
                taken = waiting.recv_many(&mut batch, QUEUE) => if taken == 0 { break },
                () = close.notified() => waiting.close(),
            }
            progress.go_on();
            writer.serve(&mut batch).await;
            if waiting.is_empty() { progress.rest() } else { progress.go_on() }
        }
        if let Some(connection) = writer.connection.take() {
            let _ = connection.close().await;
        }
    });
    Ok(WriterHandle { queue, options, closing, task: Arc::new(Mutex::new(Some(task))), commits, mark })
}

/// Creates folder and file before SQLite does, readable by the owner only; SQLite's side files inherit the file's mode.
fn make_private(path: &std::path::Path) -> Result<()> {
    let make = || {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder)?;
        }
        let mut file = std::fs::OpenOptions::new();
        file.write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut file, 0o600);
        file.open(path).map(drop)
    };
    make().map_err(|error: std::io::Error| Error::other(format!("{}: {error}", path.display())))
}

/// Decides the race between the writer, which takes a closure, and its caller, who withdraws it: the first wins.
#[derive(Clone, Default)]
struct JobClaim(Arc<AtomicBool>);

impl JobClaim {
    /// Returns `true` for the first caller only.
    fn take(&self) -> bool {
        !self.0.swap(true, Ordering::AcqRel)
    }
}

/// Type-erased write job.
trait WriteJob: Send {
    /// Takes the job to run it. `false`: its caller has withdrawn it or was dropped.
    fn take(&self) -> bool;
    /// Runs the job and keeps its result. `false`: it failed.
    fn run<'t>(&'t mut self, tx: &'t mut Tx<'_>) -> BoxFuture<'t, bool>;
    /// Sends the closure's result, or the failure of the commit, to the caller.
    fn tell(self: Box<Self>, committed: Result<()>);
}

struct PendingWrite<T, W> {
    work: W,
    outcome: Option<Result<T>>,
    answer: oneshot::Sender<Result<T>>,
    turn: JobClaim,
    /// The span of the caller: what the closure logs and records belongs to it.
    span: Span,
}

impl<T: Send + 'static, W: WriteFn<T>> WriteJob for PendingWrite<T, W> {
    fn run<'t>(&'t mut self, tx: &'t mut Tx<'_>) -> BoxFuture<'t, bool> {
        Box::pin(async move {
            // A panic fails its own closure only; the writer continues.
            let run = AssertUnwindSafe(tx::run(&self.work, tx).instrument(self.span.clone()));
            let run = run.catch_unwind().await;
            let outcome = match run.unwrap_or_else(|_| Err(Error::other("a write panicked"))) {
                Ok(value) => tx.flush().await.map(|()| value),
                failed => failed,
            };
            self.outcome.insert(outcome).is_ok()
        })
    }

    fn take(&self) -> bool {
        !self.answer.is_closed() && self.turn.take()
    }

    fn tell(self: Box<Self>, committed: Result<()>) {
        // A closure's own error is more specific than the failed commit.
        let told = match (self.outcome, committed) {
            (Some(Err(error)), _) | (_, Err(error)) => Err(error),
            (Some(value), Ok(())) => value,
            (None, Ok(())) => Err(Error::other("a write was not run")),
        };
        let _ = self.answer.send(told);
    }
}

struct Writer {
    options: Arc<SqliteConnectOptions>,
    connection: Option<SqliteConnection>,
    counters: Arc<Counters>,
    commits: Arc<Histogram>,
}

impl Writer {
    async fn serve(&mut self, batch: &mut Vec<Box<dyn WriteJob>>) {
        batch.retain(|job| job.take());
        match self.transaction(batch).await {
            Ok(false) if batch.len() > 1 => {
                for mut job in batch.drain(..) {
                    let done = self.transaction(std::slice::from_mut(&mut job)).await;
                    job.tell(done.map(|_| ()));
                }
            }
            Ok(_) => batch.drain(..).for_each(|job| job.tell(Ok(()))),
            Err(error) => {
                let error = Arc::new(error);
                batch.drain(..).for_each(|job| job.tell(Err(Error::shared(&error))));
            }
        }
    }

    /// Runs the jobs in one transaction. `Ok(false)`: one failed, all are rolled back. `Err`: begin or commit failed.
    async fn transaction(&mut self, jobs: &mut [Box<dyn WriteJob>]) -> Result<bool> {
        if jobs.is_empty() {
            return Ok(true);
        }
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.options.connect().await?,
        };
        let mut notes = TxState::default();
        let outcome = run_all(&mut connection, jobs, &mut notes).await;
        self.counters.add(&notes, matches!(outcome, Ok(true)));
        if matches!(outcome, Ok(true)) {
            self.commits.add(jobs.len().try_into().unwrap_or(u64::MAX));
        }
        // After any failure but a closure's own, the connection is replaced.
        if outcome.is_ok() {
            self.connection = Some(connection);
        }
        outcome
    }
}

async fn run_all(
    connection: &mut SqliteConnection,
    jobs: &mut [Box<dyn WriteJob>],
    notes: &mut TxState,
) -> Result<bool> {
    let mut tx = Tx::writing(connection, notes);
    tx.begin().await?;
    for job in jobs {
        if !job.run(&mut tx).await {
            tx.undo().await?;
            return Ok(false);
        }
    }
    tx.commit().await?;
    Ok(true)
}
