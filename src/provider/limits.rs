//! What each node limits by itself, and how far.
//!
//! Why in memory: these limits stand before what happens with every request of every client, which must not write a row;
//! and what they guard has 256 bits, or 32 characters, so that some guesses more, by as many as there are nodes, are
//! nothing. They are there so that guessing is seen, and costs the one who guesses more than us.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::limiter::Limiter;
use crate::domain::ids::{ClientId, Hash, IssuerId};
use crate::storage::attempts::Rate;

/// Wrong secrets of one client from one network: enough for a deployment that takes a new secret up machine by machine.
const SECRET_GUESSES: Rate = Rate { count: 20, per: Duration::from_mins(5) };
/// Unknown tokens that one client asks about. An API asks about whatever its callers bring, expired tokens and plain
/// nonsense included, so this is far more than an honest one has misses.
const INTROSPECTION_MISSES: Rate = Rate { count: 500, per: Duration::from_secs(10) };
/// A network of which too many login requests wait is looked up once in this time, and refused meanwhile.
const FULL_NETWORKS: Rate = Rate { count: 1, per: Duration::from_secs(1) };
/// Waiting login requests of this node between two trims.
const BETWEEN_TRIMS: u32 = 64;
/// Keys of one limit: a few megabytes.
const MOST: usize = 16_384;

/// The limits of one node.
pub(crate) struct Limits {
    /// By client and network: somebody elsewhere who guesses never keeps the client itself out.
    pub(crate) secret_guesses: Limiter<(IssuerId, ClientId, String)>,
    /// By the client that asks.
    pub(crate) introspection_misses: Limiter<(IssuerId, ClientId)>,
    /// By network, of which as many login requests wait as may: a flood of refusals must not be one of writes.
    pub(crate) full_networks: Limiter<Hash>,
    waiting_requests: AtomicU32,
}

impl Limits {
    /// Nothing counted yet.
    pub(crate) fn new() -> Self {
        Self {
            secret_guesses: Limiter::new(SECRET_GUESSES, MOST),
            introspection_misses: Limiter::new(INTROSPECTION_MISSES, MOST),
            full_networks: Limiter::new(FULL_NETWORKS, MOST),
            waiting_requests: AtomicU32::new(0),
        }
    }

    /// Counts a login request that waits for its first factor; `true`: it is time to trim all that wait.
    pub(crate) fn count_waiting_request(&self) -> bool {
        let before = self.waiting_requests.fetch_add(1, Ordering::Relaxed);
        before % BETWEEN_TRIMS == BETWEEN_TRIMS - 1
    }
}
