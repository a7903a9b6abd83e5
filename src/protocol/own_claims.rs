//! The host's own claims beside those of the house: what may be declared, and what a client gets.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::claims;
use super::discovery;
use crate::domain::ids::ClientId;
use crate::domain::registered_claims;
use crate::domain::scope::{self, Scope};
use crate::domain::user::User;
use crate::ext::Unavailable;
use crate::provider::{Idp, Internal};

/// Claims that tokens of the house and of its neighbours use to say what the token is (RFC 7519 §4.1, RFC 9068 §2.2,
/// OpenID Connect Core §2 and §3.3.2.11, RFC 7800 §3.1, RFC 8693 §4), beside those that discovery lists.
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

/// Is this a claim of the provider's, so that the host cannot have one of that name?
pub(crate) fn is_claim(name: &str) -> bool {
    PROTOCOL.contains(&name)
        || discovery::OWN_CLAIMS.contains(&name)
        || claims::supported().any(|own| own == name)
}

/// Is this a scope that no claim of the host's can hang on? `openid` would give it to everybody, and the others open
/// things and say nothing.
pub(crate) fn is_withheld_scope(word: &str) -> bool {
    word == scope::OPENID || word == scope::OFFLINE_ACCESS || scope::RESERVED.contains(&word)
}

/// Scopes of other specifications that applications may know by name.
const KNOWN_SCOPES: [&str; 3] = ["device_sso", "uma_authorization", "uma_protection"];
/// The scopes below these are the provider's own.
const OWN_PREFIXES: [&str; 3] = ["openid:", "account:", "admin:"];

/// Is this a name that no scope of the installation's own can have? Case makes no difference.
pub(crate) fn is_reserved_scope(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    let named = |known: &[&str]| known.contains(&word.as_str());
    named(&scope::SUPPORTED)
        || named(&scope::RESERVED)
        || named(&KNOWN_SCOPES)
        || has_own_prefix(&word)
        || is_claim(&word)
}

/// Is this the name of a scope that opens APIs of the provider, be it one that does not exist yet?
pub(crate) fn has_own_prefix(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    OWN_PREFIXES.iter().any(|prefix| word.starts_with(prefix))
}

/// Is this a name that no client can give its roles or groups? `roles`, `groups` and `entitlements` mean just these
/// (RFC 9068 §2.2.3.1).
pub(crate) fn is_reserved_claim(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let meant = [scope::ROLES, scope::GROUPS, "entitlements"].contains(&name.as_str());
    !meant && (is_claim(&name) || registered_claims::contains(&name))
}

/// Every claim that an own scope may deliver: the standard ones, the provider's, the host's.
pub(crate) fn deliverable_claims(idp: &Idp) -> BTreeSet<&str> {
    let mut all: BTreeSet<&str> = claims::supported().collect();
    all.extend(idp.own_claims().iter().flat_map(|own| own.names.iter().map(String::as_str)));
    all
}

/// Which of the host's claims are wanted.
pub(super) struct HostClaims<'a> {
    /// By these scopes.
    pub(super) scope: &'a Scope,
    /// By the installation's own scopes, which may deliver claims of the host's.
    pub(super) own: &'a BTreeSet<&'a str>,
    /// Those, too, that the host declared for UserInfo only.
    pub(super) for_userinfo_too: bool,
}

/// Adds the host's claims, as far as they are wanted here; none replaces another one. The host is not asked where there are
/// none.
pub(super) async fn add(
    idp: &Idp,
    user: &User,
    client: &ClientId,
    wanted: HostClaims<'_>,
    all: &mut Map<String, Value>,
) -> Result<(), Internal> {
    let (mut scope, mut names) = (wanted.scope.clone(), BTreeSet::new());
    for host in idp.own_claims() {
        let by_scope = wanted.scope.contains(&host.scope) && (wanted.for_userinfo_too || host.in_id_token);
        let before = names.len();
        names.extend(host.names.iter().filter(|name| by_scope || wanted.own.contains(name.as_str())));
        if names.len() > before {
            scope = scope.union(&Scope::parse(&host.scope));
        }
    }
    if names.is_empty() {
        return Ok(());
    }
    let asked = idp.claim_source().claims(user, client, &scope);
    let answer = tokio::time::timeout(idp.settings().host_deadline, asked).await;
    let told = answer.map_err(Unavailable::new).and_then(|told| told)?;
    for (name, value) in told {
        if names.contains(&name) && !value.is_null() && !all.contains_key(&name) {
            all.insert(name, value);
        }
    }
    Ok(())
}
