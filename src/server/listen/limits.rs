//! The limits of the listener. All can be set, so that tests are fast.

use std::time::Duration;

/// Time limits and maximum numbers of connections.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ListenerLimits {
    /// Time limit for a TLS handshake.
    pub(crate) handshake: Duration,
    /// Time limit for the head of a request from its first byte; on a new connection from its start.
    pub(crate) head: Duration,
    /// Time limit for the body of a request, from the end of its head.
    pub(crate) body: Duration,
    /// Time limit for a client to take a response.
    pub(crate) answer: Duration,
    /// Time limit between two requests. It exceeds the minute for which proxies and load balancers keep idle
    /// connections, because a request that meets a closing connection is lost.
    pub(crate) idle: Duration,
    /// Maximum number of connections.
    pub(crate) connections: usize,
    /// Maximum connections of one network; an office or a mobile operator may share one address.
    pub(crate) per_network: usize,
    /// Connections beyond the limit, on which only the health checks are served.
    pub(crate) spare: usize,
    /// Maximum size of a request's head in bytes: the URL of an authorization request may contain a signed request
    /// object.
    pub(crate) head_bytes: usize,
}

impl Default for ListenerLimits {
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

/// File descriptors reserved for other uses: the database, the log, outbound requests.
const OTHERS: usize = 256;

impl ListenerLimits {
    /// Derives the number of connections from the limit of open files, after raising that to the hard limit: most
    /// shells and containers start with a soft limit of about a thousand.
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
    let enough = ListenerLimits::default().connections + ListenerLimits::default().spare + OTHERS;
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

/// Not determined on other systems, which refuse connections themselves.
#[cfg(not(target_os = "linux"))]
fn open_files() -> Option<usize> {
    None
}
