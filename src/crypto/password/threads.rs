//! The threads that hash. They step back for all others: a hash takes a core for 15 ms, and whoever asks for a token or
//! a page meanwhile must not wait that long for it.
//!
//! Why not tokio's blocking threads: a thread that has stepped back stays so, and those serve everybody.

use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;

/// Work for one of the threads.
pub(super) type Job = Box<dyn FnOnce() + Send>;

/// No thread is there to run it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ended;

/// So many threads, started when the first work comes, gone when this is.
pub(super) struct Threads {
    number: usize,
    jobs: OnceLock<Sender<Job>>,
}

impl Threads {
    /// None runs yet.
    pub(super) const fn new(number: usize) -> Self {
        Self { number, jobs: OnceLock::new() }
    }

    /// Hands work to the next thread that is free.
    pub(super) fn run(&self, job: Job) -> Result<(), Ended> {
        self.jobs.get_or_init(|| start(self.number)).send(job).map_err(|_| Ended)
    }
}

/// Where not even one thread could be started, nobody receives and each job is refused.
fn start(number: usize) -> Sender<Job> {
    let (jobs, waiting) = mpsc::channel();
    let waiting = Arc::new(Mutex::new(waiting));
    for _ in 0..number {
        let waiting = Arc::clone(&waiting);
        let started = thread::Builder::new().name("password".to_owned()).spawn(move || work(&waiting));
        if let Err(error) = started {
            tracing::error!(%error, "a thread that checks passwords could not be started");
        }
    }
    jobs
}

fn work(waiting: &Mutex<Receiver<Job>>) {
    step_back();
    loop {
        let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = next else { return };
        job();
    }
}

/// On Linux a priority is the thread's own. A system that refuses has slower answers during a storm of logins.
fn step_back() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(NICE) {
        tracing::debug!(%error, "the priority stays as it is");
    }
}

/// The others get about nine of ten parts of a core that both want.
#[cfg(target_os = "linux")]
const NICE: i32 = 10;
