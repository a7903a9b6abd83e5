//! How often a number lay within which bounds: added to while things happen, read by whoever shows figures.
//!
//! Why atomics in a house of pure types: the rooms that count stand on four floors, and none of them shall know who
//! shows what they counted. An addition is two relaxed additions in memory; a reading is not one moment's, which no
//! figure needs to be.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts of numbers by fixed upper bounds, and their sum.
#[derive(Debug)]
pub struct Histogram {
    /// Ascending; what is above the last is counted all the same.
    bounds: &'static [u64],
    /// One more than bounds.
    counts: Box<[AtomicU64]>,
    sum: AtomicU64,
}

/// What a histogram held when it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Readings {
    /// How many numbers there were up to each bound and above the one before.
    pub buckets: Vec<(u64, u64)>,
    /// How many lay above the last bound.
    pub beyond: u64,
    /// All numbers added up.
    pub sum: u64,
}

impl Histogram {
    /// Nothing counted yet.
    pub fn new(bounds: &'static [u64]) -> Self {
        let counts = (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect();
        Self { bounds, counts, sum: AtomicU64::new(0) }
    }

    /// Counts a number.
    pub fn add(&self, number: u64) {
        let bucket = self.bounds.partition_point(|&bound| bound < number);
        if let Some(count) = self.counts.get(bucket) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        self.sum.fetch_add(number, Ordering::Relaxed);
    }

    /// What is counted by now.
    pub fn read(&self) -> Readings {
        let mut counts = self.counts.iter().map(|count| count.load(Ordering::Relaxed));
        let buckets = self.bounds.iter().copied().zip(counts.by_ref()).collect();
        Readings { buckets, beyond: counts.next().unwrap_or_default(), sum: self.sum.load(Ordering::Relaxed) }
    }
}

impl Readings {
    /// How many numbers there were.
    pub fn count(&self) -> u64 {
        self.buckets.iter().map(|(_, count)| count).sum::<u64>() + self.beyond
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_counted_under_the_first_bound_that_is_not_below_it() {
        let histogram = Histogram::new(&[1, 10]);
        for number in [0, 1, 2, 10, 11, 1000] {
            histogram.add(number);
        }
        let readings = histogram.read();
        assert_eq!(readings, Readings { buckets: vec![(1, 2), (10, 2)], beyond: 2, sum: 1024 });
        assert_eq!(readings.count(), 6);
    }
}
