//! Epochs: why an ending is final.
//!
//! Every user, tenant and client row has an epoch, a number that only grows. An event that ends what stands on the row
//! raises it, in the same statement. What is made for a user (a session, a grant, a reset link, a login in progress …)
//! carries the **sum** of the epochs of the rows that it stands on, as they were when it was begun, and counts only while
//! the sum is the same. So one write ends everything: disabling a tenant of a million users touches one row. A session or
//! grant that was begun before an ending and is written after it (a race, or a stale cache) is void by itself. Enabling
//! again does not lower the epoch and so brings nothing back.
//!
//! A sum never repeats: no part of it ever shrinks, and a row that takes the id of a removed one starts above every sum
//! that the removed one was part of (`storage::epochs`).
//!
//! What survives an ending, such as the session in which its user changed the password, is raised by one along with the
//! row: a valid sum stays valid and a stale one stays stale.
//!
//! `docs/ending.md` says what ends what.

use std::fmt::{Display, Formatter};
use std::ops::Add;

use serde::{Deserialize, Serialize};

/// The epoch of a row, or the sum of several.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, sqlx::Type)]
#[serde(transparent)]
#[sqlx(transparent)]
pub struct Epoch(i64);

impl Epoch {
    /// That of a row of which nothing has ended.
    pub const FIRST: Self = Self(0);

    /// After one more ending.
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
