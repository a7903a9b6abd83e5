//! How much one client may have, and for how long. All of it can be set, so that tests need not wait.

use std::time::Duration;

/// What holds for connections.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// For a TLS handshake.
    pub(crate) handshake: Duration,
    /// For the head of a request, from its first byte on; on a new connection from its beginning.
    pub(crate) head: Duration,
    /// For the body of a request, from its head on.
    pub(crate) body: Duration,
    /// For a client to take an answer.
    pub(crate) answer: Duration,
    /// Between two requests: longer than the minute for which proxies and load balancers keep a connection at hand, for a
    /// request that meets a connection as it closes is lost.
    pub(crate) idle: Duration,
    /// Connections at once.
    pub(crate) connections: usize,
    /// Of one network: an office or a mobile operator may stand behind one address.
    pub(crate) per_network: usize,
    /// Connections beyond, on which nothing but the health of the process is told.
    pub(crate) spare: usize,
    /// Bytes of a request's head: an authorization request may bring a signed request object in its address.
    pub(crate) head_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(5),
            head: Duration::from_secs(10),
            body: Duration::from_secs(10),
            answer: Duration::from_secs(20),
            idle: Duration::from_secs(75),
            connections: 8192,
            per_network: 512,
            spare: 32,
            head_bytes: 64 * 1024,
        }
    }
}

/// File descriptors that are not for visitors: the database, the log, what the provider asks for by itself.
const OTHERS: usize = 256;

impl Limits {
    /// As many connections as this process may have files open. What it may have at most is asked for first: most shells
    /// and containers begin with a thousand.
    pub(crate) fn of_this_process() -> Self {
        let limits = Self::default();
        let files = open_files().map_or(usize::MAX, |files| files.saturating_sub(OTHERS + limits.spare));
        Self { connections: limits.connections.min(files).max(limits.spare), ..limits }
    }
}

#[cfg(target_os = "linux")]
fn open_files() -> Option<usize> {
    use rustix::process::{Resource, getrlimit, setrlimit};

    let mut limit = getrlimit(Resource::Nofile);
    let enough = Limits::default().connections + Limits::default().spare + OTHERS;
    let wanted = u64::try_from(enough).ok()?.min(limit.maximum.unwrap_or(u64::MAX));
    if limit.current.is_some_and(|current| current < wanted) {
        let known = limit.current;
        limit.current = Some(wanted);
        if setrlimit(Resource::Nofile, limit).is_err() {
            limit.current = known;
        }
    }
    limit.current.map(|files| usize::try_from(files).unwrap_or(usize::MAX))
}

/// Elsewhere nobody is asked, and too many connections are refused by the system.
#[cfg(not(target_os = "linux"))]
fn open_files() -> Option<usize> {
    None
}
