//! Points in time as stored and sent: whole seconds since 1970, UTC.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Seconds since the Unix epoch. Arithmetic saturates, so that no lifetime can overflow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, sqlx::Type)]
#[serde(transparent)]
#[sqlx(transparent)]
pub struct Time(i64);

impl Time {
    /// Allowed clock skew between two nodes. In whole seconds two exact clocks may differ by one.
    pub const SKEW: Duration = Duration::from_secs(5);

    /// From seconds since the epoch.
    pub const fn from_unix(seconds: i64) -> Self {
        Self(seconds)
    }

    /// Seconds since the epoch.
    pub const fn unix(self) -> i64 {
        self.0
    }

    /// The time `span` later.
    #[must_use]
    pub fn plus(self, span: Duration) -> Self {
        Self(self.0.saturating_add(seconds(span)))
    }

    /// The time `span` earlier.
    #[must_use]
    pub fn minus(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(seconds(span)))
    }

    /// Returns whether this time is in the future by more than the allowed clock skew, because the clock was set back.
    pub fn is_ahead_of(self, now: Self) -> bool {
        self > now.plus(Self::SKEW)
    }

    /// Returns whether this time is less than `span` ago. A time in the future has no age and is not recent, so that
    /// setting the clock back does not renew anything.
    pub fn is_recent(self, now: Self, span: Duration) -> bool {
        !self.is_ahead_of(now) && now < self.plus(span)
    }

    /// Seconds since `earlier`; negative if that is later. Decisions about age use [`Time::is_recent`].
    pub fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

fn seconds(span: Duration) -> i64 {
    i64::try_from(span.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_ahead_of_the_clock_is_not_recent() {
        let now = Time::from_unix(1_000);
        let hour = Duration::from_hours(1);
        for (at, ahead, recent) in [
            (1_000, false, true),
            (991, false, true),
            (990, false, false),
            (1_005, false, true),
            (1_006, true, false),
            (4_600, true, false),
            (i64::MAX, true, false),
            (i64::MIN, false, false),
        ] {
            let at = Time::from_unix(at);
            assert_eq!(at.is_ahead_of(now), ahead, "{at:?}");
            assert_eq!(at.is_recent(now, Duration::from_secs(10)), recent, "{at:?}");
        }
        assert!(!Time::from_unix(1_000).is_recent(Time::from_unix(i64::MAX), hour));
    }
}
