//! What a new password must be (functional specification 5.4): long enough, and not among those that are tried first.
//!
//! No rule says which characters it must have, and it never expires: both make passwords worse (NIST SP 800-63B).

use serde::{Deserialize, Serialize};

/// The rules for one user's password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordRules {
    /// The least number of characters.
    pub least: u32,
}

impl PasswordRules {
    /// The greatest number of characters.
    pub const MOST: u32 = 128;

    /// The rules for an administrator, or for anybody else.
    pub const fn of(is_admin: bool) -> Self {
        Self { least: if is_admin { 12 } else { 8 } }
    }
}

/// Why a text will not do as a new password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PasswordFault {
    /// It has fewer characters than this.
    TooShort(u32),
    /// It has more than [`PasswordRules::MOST`] characters.
    TooLong,
    /// It is among the first that somebody would try: a common one, or made of the user's or the tenant's names.
    Guessable,
    /// It is the one that must be changed.
    Unchanged,
    /// It was typed differently the second time.
    Different,
}
