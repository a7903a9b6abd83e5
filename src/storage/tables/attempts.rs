//! Budgets for guesses: failed tries and locks.
//!
//! **A try is taken before the check**, in one conditional statement, so that 200 concurrent guesses get 5 tries, not
//! 200. The try that uses up a round sets the lock at once. A successful check resets the counter ([`queue_success`]); a
//! check that could not be made refunds its one try ([`give_back`]); a failed check needs no further write.
//!
//! The key is a keyed hash made by `account` (of a user's id, of the typed name if there is no such user, of an
//! address), so that a lock does not reveal whether the user exists, and the table does not reveal whose password was
//! tried.

use std::time::Duration;

use crate::domain::ids::{Hash, UserId};
use crate::domain::time::Time;
use crate::storage::core::error::Result;
use crate::storage::core::queue::ExpectedRows;
use crate::storage::core::tx::Tx;

/// The lock of a hard stop, which has no end.
const FOREVER: Time = Time::from_unix(i64::MAX);

/// The kind of secret that is guessed; each has its own counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AttemptKind {
    /// A password.
    Password,
    /// A password, in a browser that has its own tries.
    KnownBrowser,
    /// A code of an authenticator device or application.
    Otp,
    /// A delivered code.
    Delivered,
    /// A PIN typed with a code.
    Pin,
    /// Two consecutive codes that resynchronize a device.
    Resync,
    /// A recovery code.
    Recovery,
    /// A passkey's assertion.
    Passkey,
}

impl AttemptKind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::KnownBrowser => "known_browser",
            Self::Otp => "otp",
            Self::Delivered => "delivered",
            Self::Pin => "pin",
            Self::Resync => "resync",
            Self::Recovery => "recovery",
            Self::Passkey => "passkey",
        }
    }
}

/// The limits of one kind of secret. The numbers are set in `account`.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// Number of consecutive failures after which a lock is set, and again after each further such number.
    pub tries: u32,
    /// Length of the first lock; each further one is twice as long.
    pub first_lock: Duration,
    /// Maximum length of a lock.
    pub longest_lock: Duration,
    /// Number of consecutive failures after which the lock has no end.
    pub hard_stop: u32,
}

/// The result of taking a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reservation {
    /// One try was taken: go on.
    Taken {
        /// Consecutive failures, with this try counted as one.
        failures: i64,
        /// The lock that applies unless this try succeeds.
        lock: Option<Time>,
    },
    /// Locked until this time.
    Locked(Time),
    /// Locked until the failures are reset.
    Stopped,
}

/// Takes one try from the budget. A lock that ends later than the longest lock from now was set before the clock was
/// set back, and is ignored.
pub async fn reserve(
    tx: &mut Tx<'_>,
    key: &Hash,
    kind: AttemptKind,
    now: Time,
    budget: &Budget,
) -> Result<Reservation> {
    // The lock is first * 2^(round - 1), at most the longest; 16 doublings exceed any longest lock.
    let taken: Option<(i64, i64)> = on!(tx, conn => sqlx::query_as(
        "INSERT INTO attempts (key, kind, failures, locked_until, last_at) VALUES ($1, $2, 1, 0, $3)
         ON CONFLICT (key, kind) DO UPDATE SET
             failures = attempts.failures + 1,
             last_at = $3,
             locked_until = CASE
                 WHEN attempts.failures + 1 >= $7 THEN $8
                 WHEN (attempts.failures + 1) % $4 <> 0
                     THEN CASE WHEN attempts.locked_until > $9 THEN 0 ELSE attempts.locked_until END
                 WHEN (attempts.failures + 1) / $4 > 16 THEN $3 + $6
                 WHEN ($5 << CAST((attempts.failures + 1) / $4 - 1 AS INTEGER)) > $6 THEN $3 + $6
                 ELSE $3 + ($5 << CAST((attempts.failures + 1) / $4 - 1 AS INTEGER))
             END
         WHERE attempts.locked_until <= $3 OR (attempts.locked_until > $9 AND attempts.locked_until < $8)
         RETURNING failures, locked_until")
        .bind(key).bind(kind.as_str()).bind(now)
        .bind(i64::from(budget.tries.max(2)))
        .bind(seconds(budget.first_lock)).bind(seconds(budget.longest_lock))
        .bind(i64::from(budget.hard_stop)).bind(FOREVER)
        .bind(now.plus(budget.longest_lock).plus(Time::SKEW))
        .fetch_optional(conn))?;
    if let Some((failures, until)) = taken {
        let lock = Some(Time::from_unix(until)).filter(|until| *until > now);
        return Ok(Reservation::Taken { failures, lock });
    }
    let until = locked_until(tx, key, kind).await?.unwrap_or(now);
    Ok(if until == FOREVER { Reservation::Stopped } else { Reservation::Locked(until) })
}

/// Resets the counter after a successful check, or when an administrator unlocks.
pub fn queue_success(tx: &mut Tx<'_>, key: &Hash, kind: AttemptKind) -> Result<()> {
    queue!(tx, ExpectedRows::Any, "DELETE FROM attempts WHERE key = $1 AND kind = $2", key, kind.as_str());
    Ok(())
}

/// Resets the counters of all browsers known to this user.
pub fn queue_forget_known_browsers(tx: &mut Tx<'_>, user: &UserId) -> Result<()> {
    let sql = "DELETE FROM attempts
               WHERE kind = $2 AND key IN (SELECT hash FROM known_browsers WHERE user_id = $1)";
    queue!(tx, ExpectedRows::Any, sql, user, AttemptKind::KnownBrowser.as_str());
    Ok(())
}

/// Resets a counter whose last failure is at least `age` old, or in the future because the clock was set back; `false`:
/// there is none.
pub async fn forget(
    tx: &mut Tx<'_>,
    key: &Hash,
    kind: AttemptKind,
    now: Time,
    age: Duration,
) -> Result<bool> {
    let sql = "DELETE FROM attempts WHERE key = $1 AND kind = $2 AND (last_at <= $3 OR last_at > $4)";
    Ok(execute!(tx, sql, key, kind.as_str(), now.minus(age), now.plus(Time::SKEW))? == 1)
}

/// Refunds one try whose check did not take place, and the `lock` it set.
pub async fn give_back(tx: &mut Tx<'_>, key: &Hash, kind: AttemptKind, lock: Option<Time>) -> Result<()> {
    execute!(
        tx,
        "UPDATE attempts SET failures = failures - 1,
             locked_until = CASE WHEN locked_until = $3 THEN 0 ELSE locked_until END
         WHERE key = $1 AND kind = $2 AND failures > 0",
        key,
        kind.as_str(),
        lock.map_or(-1, Time::unix),
    )?;
    Ok(())
}

/// The end of the current or last lock of the key.
pub async fn locked_until(tx: &mut Tx<'_>, key: &Hash, kind: AttemptKind) -> Result<Option<Time>> {
    on!(tx, conn => sqlx::query_scalar("SELECT locked_until FROM attempts WHERE key = $1 AND kind = $2")
        .bind(key).bind(kind.as_str()).fetch_optional(conn))
}

/// A rate limit of `count` events per period: a burst of `count` is allowed, and it drains evenly.
#[derive(Clone, Copy, Debug)]
pub struct Rate {
    /// Number of events.
    pub count: u32,
    /// Length of the period.
    pub per: Duration,
}

impl Rate {
    /// Milliseconds that one event takes to drain.
    pub fn interval(self) -> i64 {
        millis(self.per) / i64::from(self.count.max(1))
    }
}

/// Takes one event from a rate; `false`: the rate is exceeded.
///
/// Implements the generic cell rate algorithm, whose state is one number: the time at which the bucket will be empty. A
/// time further ahead than a full bucket was written before the clock was set back, and is ignored.
pub async fn flow(tx: &mut Tx<'_>, key: &Hash, now: Time, rate: Rate) -> Result<bool> {
    let written = execute!(
        tx,
        "INSERT INTO rates (key, free_at) VALUES ($1, $2 + $3)
         ON CONFLICT (key) DO UPDATE
             SET free_at = CASE WHEN rates.free_at > $2 AND rates.free_at <= $5 THEN rates.free_at ELSE $2 END + $3
         WHERE rates.free_at + $3 <= $2 + $4 OR rates.free_at > $5",
        key,
        now.unix().saturating_mul(1000),
        rate.interval(),
        millis(rate.per),
        now.plus(rate.per).plus(Time::SKEW).unix().saturating_mul(1000),
    )?;
    Ok(written == 1)
}

/// The time from which the next event is allowed.
pub async fn flows_at(tx: &mut Tx<'_>, key: &Hash, rate: Rate) -> Result<Time> {
    let free_at: Option<i64> = on!(tx, conn => sqlx::query_scalar("SELECT free_at FROM rates WHERE key = $1")
        .bind(key).fetch_optional(conn))?;
    let next = free_at.unwrap_or_default().saturating_add(rate.interval()).saturating_sub(millis(rate.per));
    // Rounded up, so that the event is allowed at that whole second.
    Ok(Time::from_unix(next.saturating_add(999).div_euclid(1000)))
}

/// Refunds one event. At most once per key in one write (see `queue`).
pub fn queue_refund(tx: &mut Tx<'_>, key: &Hash, rate: Rate) -> Result<()> {
    queue!(
        tx,
        ExpectedRows::Any,
        "UPDATE rates SET free_at = free_at - $2 WHERE key = $1",
        key,
        rate.interval()
    );
    Ok(())
}

fn seconds(span: Duration) -> i64 {
    i64::try_from(span.as_secs()).unwrap_or(i64::MAX)
}

fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}
