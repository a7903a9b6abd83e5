//! Second factors, one file each.

mod totp;

pub(crate) use totp::{Confirmation, Enrolment};

use crate::domain::time::Time;

/// What became of a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It was right, and is used up.
    Right,
    /// It was wrong, too old, or used already; which of these is not said.
    Wrong,
    /// It was not looked at.
    Locked(Time),
}
