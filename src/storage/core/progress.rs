//! Progress marks, by which a stalled process is detected: work has been waiting for a while without any progress.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// The time since which work has been waiting without progress. Costs a few relaxed atomic accesses, for hot paths.
#[derive(Debug)]
pub struct Mark {
    base: Instant,
    /// Milliseconds after `base`, plus one; 0 = nothing waits.
    since: AtomicU64,
}

impl Default for Mark {
    fn default() -> Self {
        Self { base: Instant::now(), since: AtomicU64::new(0) }
    }
}

impl Mark {
    /// Marks that work waits, unless it is marked already.
    pub fn begin(&self) {
        let _ = self.since.compare_exchange(0, self.now(), Ordering::Relaxed, Ordering::Relaxed);
    }

    /// Marks progress, with more work waiting.
    pub fn go_on(&self) {
        self.since.store(self.now(), Ordering::Relaxed);
    }

    /// Marks progress, with no work waiting that the caller knows of; other callers that still wait mark it again.
    pub fn rest(&self) {
        if self.since.load(Ordering::Relaxed) != 0 {
            self.since.store(0, Ordering::Relaxed);
        }
    }

    /// Returns whether work has been waiting for `patience` without progress.
    pub fn is_stalled(&self, patience: Duration) -> bool {
        let since = self.since.load(Ordering::Relaxed);
        since != 0 && u128::from(self.now().saturating_sub(since)) >= patience.as_millis()
    }

    fn now(&self) -> u64 {
        u64::try_from(self.base.elapsed().as_millis()).unwrap_or(u64::MAX - 1) + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_waiting_work_without_progress_is_stalled() {
        let mark = Mark::default();
        assert!(!mark.is_stalled(Duration::ZERO), "nothing to do");
        mark.begin();
        assert!(mark.is_stalled(Duration::ZERO) && !mark.is_stalled(Duration::from_hours(1)));
        mark.rest();
        assert!(!mark.is_stalled(Duration::ZERO));
        mark.go_on();
        assert!(mark.is_stalled(Duration::ZERO));
    }

    #[test]
    fn the_time_counts_from_the_last_progress() {
        let a_minute_ago = Instant::now().checked_sub(Duration::from_mins(1)).unwrap();
        let mark = Mark { base: a_minute_ago, since: AtomicU64::new(1) };
        mark.begin();
        assert!(mark.is_stalled(Duration::from_secs(59)), "work that comes later does not hide what waits");
        mark.go_on();
        assert!(!mark.is_stalled(Duration::from_secs(59)));
    }
}
