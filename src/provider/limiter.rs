//! Rate limits of one node, in memory: for events that are counted far more often than refused, and where a restart may
//! reset the count. Limits that must hold across nodes are rows ([`crate::storage::attempts`]).
//!
//! Implements the generic cell rate algorithm: the state of a key is the time at which its bucket will be empty. The
//! map is bounded: when it is full, empty buckets are removed, and then the emptier half, so that an attacker cannot
//! remove a full bucket by adding many others.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::storage::attempts::Rate;

/// A rate limiter by key.
pub(crate) struct Limiter<K> {
    rate: Rate,
    most: usize,
    /// The time at which a bucket will be empty, in milliseconds since 1970.
    drained_at: Mutex<HashMap<K, i64>>,
}

impl<K: Clone + Eq + Hash> Limiter<K> {
    /// Creates a limiter that keeps at most `most` keys.
    pub(crate) fn new(rate: Rate, most: usize) -> Self {
        Self { rate, most, drained_at: Mutex::new(HashMap::new()) }
    }

    /// The time until this key may count another event; `None`: now. `now` is in milliseconds.
    pub(crate) fn wait(&self, key: &K, now: i64) -> Option<Duration> {
        let drained_at = *self.lock().get(key)?;
        let wait = drained_at.min(self.latest(now)) + self.rate.interval() - self.latest(now);
        u64::try_from(wait).ok().filter(|millis| *millis > 0).map(Duration::from_millis)
    }

    /// Counts an event, even if the key should have waited.
    pub(crate) fn count(&self, key: &K, now: i64) {
        let mut kept = self.lock();
        if kept.len() >= self.most && !kept.contains_key(key) {
            forget(&mut kept, self.most, now);
        }
        let drained_at = kept.entry(key.clone()).or_insert(now);
        // At most a full bucket after now, also if the clock was set back.
        *drained_at = ((*drained_at).max(now) + self.rate.interval()).min(self.latest(now));
    }

    /// The time at which a full bucket will be empty.
    fn latest(&self, now: i64) -> i64 {
        now.saturating_add(self.rate.interval() * i64::from(self.rate.count))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, i64>> {
        self.drained_at.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn forget<K: Eq + Hash>(kept: &mut HashMap<K, i64>, most: usize, now: i64) {
    kept.retain(|_, drained_at| *drained_at > now);
    if kept.len() < most {
        return;
    }
    let mut all: Vec<i64> = kept.values().copied().collect();
    let middle = all.len() / 2;
    let (_, middle, _) = all.select_nth_unstable(middle);
    let middle = *middle;
    kept.retain(|_, drained_at| *drained_at > middle);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limiter(most: usize) -> Limiter<u32> {
        Limiter::new(Rate { count: 3, per: Duration::from_secs(30) }, most)
    }

    #[test]
    fn a_measure_at_once_and_then_one_by_one() {
        let limiter = limiter(10);
        for _ in 0..3 {
            assert_eq!(limiter.wait(&1, 0), None);
            limiter.count(&1, 0);
        }
        assert_eq!(limiter.wait(&1, 0), Some(Duration::from_secs(10)));
        assert_eq!(limiter.wait(&2, 0), None, "another key");
        assert_eq!(limiter.wait(&1, 9_999), Some(Duration::from_millis(1)));
        assert_eq!(limiter.wait(&1, 10_000), None);
        limiter.count(&1, 10_000);
        assert_eq!(limiter.wait(&1, 10_000), Some(Duration::from_secs(10)));
        assert_eq!(limiter.wait(&1, 40_000), None);
    }

    #[test]
    fn nobody_waits_longer_than_for_one() {
        let limiter = limiter(10);
        (0..100).for_each(|_| limiter.count(&1, 1_000_000));
        assert_eq!(limiter.wait(&1, 1_000_000), Some(Duration::from_secs(10)));
        assert_eq!(limiter.wait(&1, 0), Some(Duration::from_secs(10)), "the clock was set back");
    }

    #[test]
    fn many_that_do_little_do_not_push_out_who_owes_most() {
        let limiter = limiter(100);
        (0..3).for_each(|_| limiter.count(&0, 0));
        for key in 1..10_000 {
            limiter.count(&key, 0);
            assert!(limiter.lock().len() <= 100);
        }
        assert!(limiter.wait(&0, 0).is_some());
        limiter.count(&1, 30_000);
        (2..100).for_each(|key| limiter.count(&key, 30_000));
        assert!(limiter.lock().len() <= 100 && limiter.lock().values().all(|at| *at > 30_000));
    }
}
