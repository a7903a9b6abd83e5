//! The clock. Nothing else in the house asks the machine for the time, so that tests own it.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::domain::time::Time;

/// Tells the time. It may jump: nothing here relies on it only going forward.
pub trait Clock: Send + Sync + 'static {
    /// Milliseconds since 1970, UTC.
    fn unix_millis(&self) -> i64;

    /// The time in whole seconds, as rows and tokens hold it.
    fn now(&self) -> Time {
        Time::from_unix(self.unix_millis().div_euclid(1000))
    }
}

/// The machine's clock.
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
