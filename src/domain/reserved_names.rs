//! Names of claims and scopes that hosts and operators cannot give another meaning.

use super::claims;
use super::registered_claims;
use super::scope;

/// Claims by which tokens describe themselves (RFC 7519 §4.1, RFC 9068 §2.2, OpenID Connect Core §2 and §3.3.2.11,
/// RFC 7800 §3.1, RFC 8693 §4), beside those that discovery lists.
const PROTOCOL: [&str; 18] = [
    "nbf",
    "jti",
    "azp",
    "at_hash",
    "c_hash",
    "s_hash",
    "cnf",
    "act",
    "may_act",
    "scope",
    "client_id",
    "grant",
    "epoch",
    "events",
    "active",
    "token_type",
    "username",
    "typ",
];
/// Scopes of other specifications that applications may know by name.
const KNOWN_SCOPES: [&str; 3] = ["device_sso", "uma_authorization", "uma_protection"];
/// The prefixes of the provider's own scopes.
const OWN_PREFIXES: [&str; 3] = ["openid:", "account:", "admin:"];

/// Returns whether the provider delivers a claim of this name or uses it in tokens; the host cannot declare it.
pub(crate) fn is_claim(name: &str) -> bool {
    PROTOCOL.contains(&name)
        || claims::OF_ID_TOKEN.contains(&name)
        || claims::about_users().any(|own| own == name)
}

/// Returns whether no claim of the host can be bound to this scope: `openid` would deliver it to every client, and the
/// others deliver no claims.
pub(crate) fn is_withheld_scope(word: &str) -> bool {
    word == scope::OPENID || word == scope::OFFLINE_ACCESS || scope::RESERVED.contains(&word)
}

/// Returns whether no scope of the installation can have this name. Case is ignored.
pub(crate) fn is_reserved_scope(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    let named = |known: &[&str]| known.contains(&word.as_str());
    named(&scope::SUPPORTED)
        || named(&scope::RESERVED)
        || named(&KNOWN_SCOPES)
        || has_own_prefix(&word)
        || is_claim(&word)
}

/// Returns whether the name has a prefix of the provider's own scopes, including scopes that do not exist yet.
pub(crate) fn has_own_prefix(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    OWN_PREFIXES.iter().any(|prefix| word.starts_with(prefix))
}

/// Returns whether no client can have its roles or groups under this name. `roles`, `groups` and `entitlements` are
/// registered for exactly these (RFC 9068 §2.2.3.1). Case is ignored.
pub(crate) fn is_reserved_claim(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let meant = [scope::ROLES, scope::GROUPS, "entitlements"].contains(&name.as_str());
    !meant && (is_claim(&name) || registered_claims::contains(&name))
}
