//! The limits of each node.
//!
//! Why in memory: they guard requests that must not write a row each, and secrets with 256 bits or 32 characters, so a
//! factor of the number of nodes in the number of guesses does not matter. Their purpose is to make guessing visible in
//! the log, and cheaper for us than for the attacker.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::limiter::Limiter;
use crate::domain::ids::{ClientId, Hash, IssuerId};
use crate::storage::attempts::Rate;

/// Wrong secrets of one client from one network: enough for a deployment that gets a new secret machine by machine.
const SECRET_GUESSES: Rate = Rate { count: 20, per: Duration::from_mins(5) };
/// Unknown tokens introspected by one client. An API introspects whatever its callers send, including expired tokens
/// and garbage, so the limit is far above an honest API's number of misses.
const INTROSPECTION_MISSES: Rate = Rate { count: 500, per: Duration::from_secs(10) };
/// A network that has reached its limit of waiting logins is looked up once in this time, and refused in between.
const FULL_NETWORKS: Rate = Rate { count: 1, per: Duration::from_secs(1) };
/// Number of waiting logins that this node adds between two trims.
const BETWEEN_TRIMS: u32 = 64;
/// Maximum keys of one limit: a few megabytes.
const MOST: usize = 16_384;

/// The rate limiters of one node.
pub(crate) struct RateLimits {
    /// By client and network, so that guesses from another network never block the client itself.
    pub(crate) secret_guesses: Limiter<(IssuerId, ClientId, String)>,
    /// By the client that introspects.
    pub(crate) introspection_misses: Limiter<(IssuerId, ClientId)>,
    /// By network that has reached its limit of waiting logins: a flood of refusals must not cause a flood of queries.
    pub(crate) full_networks: Limiter<Hash>,
    waiting_requests: AtomicU32,
}

impl RateLimits {
    /// Creates the limiters with nothing counted.
    pub(crate) fn new() -> Self {
        Self {
            secret_guesses: Limiter::new(SECRET_GUESSES, MOST),
            introspection_misses: Limiter::new(INTROSPECTION_MISSES, MOST),
            full_networks: Limiter::new(FULL_NETWORKS, MOST),
            waiting_requests: AtomicU32::new(0),
        }
    }

    /// Counts a waiting login; `true`: it is time to trim.
    pub(crate) fn count_waiting_request(&self) -> bool {
        let before = self.waiting_requests.fetch_add(1, Ordering::Relaxed);
        before % BETWEEN_TRIMS == BETWEEN_TRIMS - 1
    }
}
