//! The clock. No other module reads the system time, so that tests control it.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::domain::time::Time;

/// Provides the time. It may jump in both directions: no module relies on a monotonic clock.
pub trait Clock: Send + Sync + 'static {
    /// Milliseconds since 1970-01-01 UTC.
    fn unix_millis(&self) -> i64;

    /// The time in whole seconds, the resolution of rows and tokens.
    fn now(&self) -> Time {
        Time::from_unix(self.unix_millis().div_euclid(1000))
    }
}

/// The system clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock that everything else asks")]
    fn unix_millis(&self) -> i64 {
        let millis = |span: std::time::Duration| i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
        match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => millis(since),
            Err(before) => -millis(before.duration()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct At(i64);

    impl Clock for At {
        fn unix_millis(&self) -> i64 {
            self.0
        }
    }

    #[test]
    fn seconds_are_rounded_down_on_both_sides_of_1970() {
        assert_eq!(At(1_999).now(), Time::from_unix(1));
        assert_eq!(At(-1).now(), Time::from_unix(-1));
    }

    #[test]
    fn the_machine_is_past_the_day_this_was_written() {
        assert!(SystemClock.now() > Time::from_unix(1_790_000_000));
    }
}
