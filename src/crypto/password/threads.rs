//! The hashing threads, with low priority: a hash takes a core for 15 ms, and other requests must not wait that long
//! for it.
//!
//! Why not tokio's blocking threads: a thread cannot raise its priority again, and those are shared with other work.

use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;

/// Work for a hashing thread.
pub(super) type HashJob = Box<dyn FnOnce() + Send>;

/// No thread could be started.
#[derive(Clone, Copy, Debug)]
pub(super) struct NoThread;

/// A fixed number of threads, started with the first job and stopped on drop.
pub(super) struct Threads {
    number: usize,
    jobs: OnceLock<Sender<HashJob>>,
}

impl Threads {
    /// Creates the set without starting threads.
    pub(super) const fn new(number: usize) -> Self {
        Self { number, jobs: OnceLock::new() }
    }

    /// Queues a job for the next free thread.
    pub(super) fn run(&self, job: HashJob) -> Result<(), NoThread> {
        self.jobs.get_or_init(|| start(self.number)).send(job).map_err(|_| NoThread)
    }
}

/// Starts the threads. If none could be started, the receiver is dropped and every job is rejected.
fn start(number: usize) -> Sender<HashJob> {
    let (jobs, waiting) = mpsc::channel();
    let waiting = Arc::new(Mutex::new(waiting));
    for _ in 0..number {
        let waiting = Arc::clone(&waiting);
        let started = thread::Builder::new().name("password".to_owned()).spawn(move || work(&waiting));
        if let Err(error) = started {
            tracing::error!(%error, "cannot start a password hashing thread");
        }
    }
    jobs
}

fn work(waiting: &Mutex<Receiver<HashJob>>) {
    step_back();
    loop {
        let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = next else { return };
        job();
    }
}

/// Lowers the priority of the current thread (Linux only). If that fails, other requests are slower during many logins.
fn step_back() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(NICE) {
        tracing::debug!(%error, "cannot lower the priority of a password hashing thread");
    }
}

/// Nice value that leaves about nine tenths of a contended core to other threads.
#[cfg(target_os = "linux")]
const NICE: i32 = 10;
