//! Rules for new passwords: a minimum length, and not easily guessed.
//!
//! There are no rules about kinds of characters, and no expiry: both weaken passwords (NIST SP 800-63B).

use serde::{Deserialize, Serialize};

/// The rules for one user's password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordRules {
    /// Minimum number of characters.
    pub least: u32,
}

impl PasswordRules {
    /// Maximum number of characters.
    pub const MOST: u32 = 128;

    /// The rules for an administrator (12 characters) or another user (8).
    pub const fn of(is_admin: bool) -> Self {
        Self { least: if is_admin { 12 } else { 8 } }
    }
}

/// The reason why a new password is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PasswordFault {
    /// It has fewer characters than this minimum.
    TooShort(u32),
    /// It has more than [`PasswordRules::MOST`] characters.
    TooLong,
    /// It is easily guessed: a common password, or made of the user's or the tenant's names.
    Guessable,
    /// It is the current password, which must be changed.
    Unchanged,
    /// The repetition differs.
    Different,
}
