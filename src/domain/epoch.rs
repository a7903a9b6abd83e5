//! Epochs: counters that invalidate everything issued before an event.
//!
//! Every user, tenant and client row has an epoch, a number that only grows. An event that ends what was issued to the
//! row raises it in the same statement. Everything issued (a session, a grant, a reset link, a login in progress …)
//! stores the **sum** of the epochs of the rows that it depends on, as they were when it was begun, and is valid only
//! while the sum is the same. So one write ends everything: disabling a tenant of a million users changes one row. A
//! session or grant that was begun before the event and is written after it (a race, or a stale cache) is invalid from
//! the start. Enabling again does not lower the epoch and so restores nothing.
//!
//! A sum never repeats: no summand ever shrinks, and a row with the id of a removed one starts above every sum that the
//! removed one was part of (`storage::epochs`).
//!
//! Whatever survives the event, such as the session in which its user changed the password, is raised by one along with
//! the row: a valid sum stays valid and a stale one stays stale.
//!
//! `docs/ending.md` lists the events and what they end.

use std::fmt::{Display, Formatter};
use std::ops::Add;

use serde::{Deserialize, Serialize};

/// The epoch of a row, or the sum of several.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, sqlx::Type)]
#[serde(transparent)]
#[sqlx(transparent)]
pub struct Epoch(i64);

impl Epoch {
    /// The epoch of a new row.
    pub const FIRST: Self = Self(0);

    /// The epoch after one more event.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl Display for Epoch {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl Add for Epoch {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}
