//! Scopes: sets of words, and the claims of the standard ones (OpenID Connect Core §5.4).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// `openid`
pub const OPENID: &str = "openid";
/// `offline_access`
pub const OFFLINE_ACCESS: &str = "offline_access";
/// `roles`: the user's roles in the tenant; also the default name of the claim.
pub const ROLES: &str = "roles";
/// `groups`: the user's groups; also the default name of the claim.
pub const GROUPS: &str = "groups";

/// Every standard scope in the order of discovery.
pub const SUPPORTED: [&str; 8] =
    [OPENID, "profile", "email", "address", "phone", ROLES, GROUPS, OFFLINE_ACCESS];

/// `account:sessions`: list the user's own sessions and end them.
pub const ACCOUNT_SESSIONS: &str = "account:sessions";

/// Scopes of the provider's own APIs. A client may use them only if its registration names them; an omitted `scope` in
/// a registration means all other scopes.
pub const RESERVED: [&str; 1] = [ACCOUNT_SESSIONS];

/// The claims of a scope: of a standard one by OpenID Connect Core §5.4; of `roles` and `groups` their default claim
/// names.
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

/// A set of scope words; on the wire and in the database a space-separated text (RFC 6749 §3.3).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Scope(BTreeSet<String>);

impl Scope {
    /// Parses the wire form; words with characters outside RFC 6749 §3.3 are dropped.
    pub fn parse(text: &str) -> Self {
        text.split(' ').filter(|word| is_scope_token(word)).map(str::to_owned).collect()
    }

    /// Returns whether the word is in the set.
    pub fn contains(&self, word: &str) -> bool {
        self.0.contains(word)
    }

    /// The words, sorted.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Returns whether the set is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns whether every word of this set is in the other.
    pub fn is_subset(&self, other: &Self) -> bool {
        self.0.is_subset(&other.0)
    }

    /// The words in both sets.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        self.0.intersection(&other.0).cloned().collect()
    }

    /// The words in either set.
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
