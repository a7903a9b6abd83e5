//! Scopes: a set of words, and the claims that the standard ones stand for (OpenID Connect Core §5.4).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// `openid`
pub const OPENID: &str = "openid";
/// `offline_access`
pub const OFFLINE_ACCESS: &str = "offline_access";
/// `roles`: what the user may do in the tenant; the default name of its claim too.
pub const ROLES: &str = "roles";
/// `groups`: which groups the user belongs to; the default name of its claim too.
pub const GROUPS: &str = "groups";

/// Every scope this provider knows, in the order discovery lists them.
pub const SUPPORTED: [&str; 8] =
    [OPENID, "profile", "email", "address", "phone", ROLES, GROUPS, OFFLINE_ACCESS];

/// `account:sessions`: see where oneself is signed in, and end that.
pub const ACCOUNT_SESSIONS: &str = "account:sessions";

/// Scopes that open the provider's own APIs. A client has them only if its registration names them: what is left out
/// there means everything else.
pub const RESERVED: [&str; 1] = [ACCOUNT_SESSIONS];

/// The claims of a scope: of a standard one by OpenID Connect Core §5.4, of `roles` and `groups` by the names that they
/// have unless the client registered others.
pub fn claims_of(scope: &str) -> &'static [&'static str] {
    match scope {
        "profile" => &[
            "name",
            "family_name",
            "given_name",
            "middle_name",
            "nickname",
            "preferred_username",
            "profile",
            "picture",
            "website",
            "gender",
            "birthdate",
            "zoneinfo",
            "locale",
            "updated_at",
        ],
        "email" => &["email", "email_verified"],
        "address" => &["address"],
        "phone" => &["phone_number", "phone_number_verified"],
        ROLES => &[ROLES],
        GROUPS => &[GROUPS],
        _ => &[],
    }
}

/// A set of scope words; on the wire and in the database one text, words parted by spaces (RFC 6749 §3.3).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Scope(BTreeSet<String>);

impl Scope {
    /// Reads the wire form; words with characters outside RFC 6749 §3.3 are dropped.
    pub fn parse(text: &str) -> Self {
        text.split(' ').filter(|word| is_scope_token(word)).map(str::to_owned).collect()
    }

    /// Is the word in the set?
    pub fn contains(&self, word: &str) -> bool {
        self.0.contains(word)
    }

    /// The words, sorted.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// No word at all?
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Is every word of this set in the other?
    pub fn is_subset(&self, other: &Self) -> bool {
        self.0.is_subset(&other.0)
    }

    /// The words that both sets hold.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        self.0.intersection(&other.0).cloned().collect()
    }

    /// The words of either set.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        self.0.union(&other.0).cloned().collect()
    }
}

/// RFC 6749 §3.3: `%x21 / %x23-5B / %x5D-7E`
fn is_scope_token(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|b| matches!(b, 0x21 | 0x23..=0x5b | 0x5d..=0x7e))
}

impl FromIterator<String> for Scope {
    fn from_iter<I: IntoIterator<Item = String>>(words: I) -> Self {
        Self(words.into_iter().collect())
    }
}

impl std::fmt::Display for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (i, word) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str(" ")?;
            }
            f.write_str(word)?;
        }
        Ok(())
    }
}

impl From<String> for Scope {
    fn from(text: String) -> Self {
        Self::parse(&text)
    }
}

impl From<Scope> for String {
    fn from(scope: Scope) -> Self {
        scope.to_string()
    }
}
