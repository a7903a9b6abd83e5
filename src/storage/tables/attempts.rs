//! Budgets for guesses: how often somebody may try before waiting.
//!
//! **A try is taken before the check**, in one conditional statement: 200 guesses at once find 5 tries, not 200. The try
//! that takes the last of a round sets the lock at once. Who turns out to be right gives everything back
//! ([`succeed`]); who could not be checked at all gives his one try back ([`give_back`]); who was wrong has paid already.
//!
//! The key is a keyed hash made by `account` (of a user's id, of the name typed where there is no such user, of an
//! address), so that a lock does not tell whether the user exists, and the table does not tell who was tried.

use std::time::Duration;

use crate::domain::ids::{Hash, UserId};
use crate::domain::time::Time;
use crate::storage::core::error::Result;
use crate::storage::core::queue::ExpectedRows;
use crate::storage::core::tx::Tx;

/// The lock of a hard stop.
const FOREVER: Time = Time::from_unix(i64::MAX);

/// What is guessed at; each has a counter of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A password.
    Password,
    /// A password, in a browser that has tries of its own.
    KnownBrowser,
    /// A code of an authenticator.
    Otp,
    /// A code that was sent.
    Delivered,
    /// A PIN typed with a code.
    Pin,
    /// Two codes by which a device is found again.
    Resync,
    /// A recovery code.
    Recovery,
    /// An answer of a passkey.
    Passkey,
}

impl Kind {
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

/// The rule: how many tries, how long to wait. The numbers are `account`'s.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// Failures in a row that lead to a lock, and again to each further one.
    pub tries: u32,
    /// The first lock; each further one is twice as long.
    pub first_lock: Duration,
    /// The longest lock.
    pub longest_lock: Duration,
    /// Failures in a row after which no lock ends by itself.
    pub hard_stop: u32,
}

/// What became of the wish to try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reservation {
    /// Go on: one try is taken, this many in a row now.
    Taken {
        /// Failures in a row, this try counted as one.
        failures: i64,
        /// The lock that stands unless this try succeeds.
        lock: Option<Time>,
    },
    /// Wait until then.
    Locked(Time),
    /// Not before these failures are forgotten.
    Stopped,
}

/// Takes one try from the budget. A lock that ends later than the longest lock from now was set before the clock was set
/// back, and locks nothing.
pub async fn reserve(
    tx: &mut Tx<'_>,
    key: &Hash,
    kind: Kind,
    now: Time,
    budget: &Budget,
) -> Result<Reservation> {
    // The lock is first * 2^(round - 1), at most the longest; 16 doublings are beyond any longest lock.
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

/// The check succeeded: the failures before it are forgotten. Also what an administrator's unlocking does.
pub fn queue_success(tx: &mut Tx<'_>, key: &Hash, kind: Kind) -> Result<()> {
    queue!(tx, ExpectedRows::Any, "DELETE FROM attempts WHERE key = $1 AND kind = $2", key, kind.as_str());
    Ok(())
}

/// Forgets the failures of all browsers that are known to this user.
pub fn queue_forget_known_browsers(tx: &mut Tx<'_>, user: &UserId) -> Result<()> {
    let sql = "DELETE FROM attempts
               WHERE kind = $2 AND key IN (SELECT hash FROM known_browsers WHERE user_id = $1)";
    queue!(tx, ExpectedRows::Any, sql, user, Kind::KnownBrowser.as_str());
    Ok(())
}

/// Forgets failures of which the last lies this far back, or ahead of a clock that was set back; `false`: there are none.
pub async fn forget(tx: &mut Tx<'_>, key: &Hash, kind: Kind, now: Time, age: Duration) -> Result<bool> {
    let sql = "DELETE FROM attempts WHERE key = $1 AND kind = $2 AND (last_at <= $3 OR last_at > $4)";
    Ok(execute!(tx, sql, key, kind.as_str(), now.minus(age), now.plus(Time::SKEW))? == 1)
}

/// The check did not take place: this one try does not count, nor the `lock` it set.
pub async fn give_back(tx: &mut Tx<'_>, key: &Hash, kind: Kind, lock: Option<Time>) -> Result<()> {
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

/// Until when the key is, or was, locked.
pub async fn locked_until(tx: &mut Tx<'_>, key: &Hash, kind: Kind) -> Result<Option<Time>> {
    on!(tx, conn => sqlx::query_scalar("SELECT locked_until FROM attempts WHERE key = $1 AND kind = $2")
        .bind(key).bind(kind.as_str()).fetch_optional(conn))
}

/// So many events in so long, as a sliding limit: what flows in at once may be `count`, and it drains evenly.
#[derive(Clone, Copy, Debug)]
pub struct Rate {
    /// How many.
    pub count: u32,
    /// In how long.
    pub per: Duration,
}

impl Rate {
    /// Milliseconds that one event takes to drain.
    pub fn interval(self) -> i64 {
        millis(self.per) / i64::from(self.count.max(1))
    }
}

/// Takes one event from a rate, for example of failures from one address; `false`: there are too many.
///
/// One number says it all (the "generic cell rate algorithm"): the moment at which everything will have drained. One that
/// lies further ahead than a full measure drains was written before the clock was set back, and counts for nothing.
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

/// When the next event will flow, if none does before.
pub async fn flows_at(tx: &mut Tx<'_>, key: &Hash, rate: Rate) -> Result<Time> {
    let free_at: Option<i64> = on!(tx, conn => sqlx::query_scalar("SELECT free_at FROM rates WHERE key = $1")
        .bind(key).fetch_optional(conn))?;
    let next = free_at.unwrap_or_default().saturating_add(rate.interval()).saturating_sub(millis(rate.per));
    // Rounded up: in whole seconds it flows then, and not a moment before.
    Ok(Time::from_unix(next.saturating_add(999).div_euclid(1000)))
}

/// Gives one event back: it turned out harmless. In one write once for each key (see `queue`).
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
