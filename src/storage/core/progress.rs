//! Marks that work leaves, by which a process can be told that has stopped moving: something has been waiting for a
//! while, and nothing has got on with it since.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// Since when work has been waiting without progress. A few relaxed accesses to memory: it is kept in hot paths.
#[derive(Debug)]
pub struct Mark {
    base: Instant,
    /// Milliseconds after `base`, and one more; 0 = nothing waits.
    since: AtomicU64,
}

impl Default for Mark {
    fn default() -> Self {
        Self { base: Instant::now(), since: AtomicU64::new(0) }
    }
}

impl Mark {
    /// There is work from now on, unless there was some already.
    pub fn begin(&self) {
        let _ = self.since.compare_exchange(0, self.now(), Ordering::Relaxed, Ordering::Relaxed);
    }

    /// There was progress, and there is more to do.
    pub fn go_on(&self) {
        self.since.store(self.now(), Ordering::Relaxed);
    }

    /// There was progress, and nothing waits that this one knows of: who waits still, or from now on, begins again.
    pub fn rest(&self) {
        if self.since.load(Ordering::Relaxed) != 0 {
            self.since.store(0, Ordering::Relaxed);
        }
    }

    /// Has work been waiting for so long without progress?
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
