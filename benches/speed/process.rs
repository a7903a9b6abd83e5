//! Servers as processes of their own, so that what they spend can be read apart from what the load client spends.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::place::Place;

/// A running server; it ends when this is dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Server {
    /// `vestibule serve` over this place, as it is delivered.
    pub(crate) fn serve(place: &Place) -> Self {
        Self::start(|address| {
            let mut command = place.vestibule();
            command.args(["serve", "--listen", address]);
            command
        })
    }

    /// The same provider with password hashes that cost nothing; see [`crate::roles`].
    pub(crate) fn without_hashes(place: &Place) -> Self {
        Self::start(|address| place.role(&["provider", address]))
    }

    /// A bare axum answer; see [`crate::roles`].
    pub(crate) fn bare(place: &Place) -> Self {
        Self::start(|address| place.role(&["bare", address]))
    }

    /// Starts a command on a free port and waits until it listens.
    pub(crate) fn start(command: impl FnOnce(&str) -> Command) -> Self {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut command = command(&address.to_string());
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let server = Self { child, address };
        let started = Instant::now();
        while TcpStream::connect(address).is_err() {
            assert!(started.elapsed() < Duration::from_mins(1), "the server does not listen");
            thread::sleep(Duration::from_micros(200));
        }
        server
    }

    /// What its threads have spent so far.
    pub(crate) fn spent(&self) -> Spent {
        Spent::of(&self.child.id().to_string())
    }

    /// Bytes of memory that are its own and in use.
    pub(crate) fn resident(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// CPU time of each thread of a process, in nanoseconds.
pub(crate) struct Spent(BTreeMap<String, u64>);

impl Spent {
    /// Of this process: what ceilings are measured in.
    pub(crate) fn own() -> Self {
        Self::of("self")
    }

    /// Of the thread that asks.
    pub(crate) fn of_this_thread() -> Self {
        let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
        Self(BTreeMap::from([(String::new(), stat.split(' ').next().unwrap().parse().unwrap())]))
    }

    /// The first number of `schedstat` is the time on a CPU, user and system. Threads that end meanwhile were idle
    /// for long, so what they had spent belongs to neither reading.
    fn of(process: &str) -> Self {
        let tasks = std::fs::read_dir(format!("/proc/{process}/task")).unwrap();
        let read = tasks.filter_map(|task| {
            let path = task.ok()?.path();
            let stat = std::fs::read_to_string(path.join("schedstat")).ok()?;
            Some((path.file_name()?.to_str()?.to_owned(), stat.split(' ').next()?.parse().ok()?))
        });
        Self(read.collect())
    }

    /// What was spent between `before` and this reading.
    pub(crate) fn since(&self, before: &Self) -> Duration {
        let grown = |(id, now): (&String, &u64)| now.saturating_sub(*before.0.get(id).unwrap_or(&0));
        Duration::from_nanos(self.0.iter().map(grown).sum())
    }
}
