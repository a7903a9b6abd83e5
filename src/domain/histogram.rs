//! Histograms: counts of numbers by upper bound, in atomics.
//!
//! Why here: several modules count, and none of them should know how metrics are exposed. Adding costs two relaxed
//! additions; a reading is not an atomic snapshot, which metrics do not need.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts of numbers by fixed upper bounds, and their sum.
#[derive(Debug)]
pub struct Histogram {
    /// Ascending; numbers above the last bound are counted too.
    bounds: &'static [u64],
    /// One more than the bounds.
    counts: Box<[AtomicU64]>,
    sum: AtomicU64,
}

/// A reading of a histogram.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Readings {
    /// For each bound, the count of numbers up to it and above the previous bound.
    pub buckets: Vec<(u64, u64)>,
    /// The count of numbers above the last bound.
    pub beyond: u64,
    /// The sum of all numbers.
    pub sum: u64,
}

impl Histogram {
    /// An empty histogram.
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

    /// Reads the counts.
    pub fn read(&self) -> Readings {
        let mut counts = self.counts.iter().map(|count| count.load(Ordering::Relaxed));
        let buckets = self.bounds.iter().copied().zip(counts.by_ref()).collect();
        Readings { buckets, beyond: counts.next().unwrap_or_default(), sum: self.sum.load(Ordering::Relaxed) }
    }
}

impl Readings {
    /// The count of all numbers.
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
