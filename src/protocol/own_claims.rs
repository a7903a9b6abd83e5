//! The host's own claims beside those of the house: what may be declared, and what a client gets.

use serde_json::{Map, Value};

use super::claims;
use super::discovery;
use crate::domain::ids::ClientId;
use crate::domain::scope::{self, Scope};
use crate::domain::user::User;
use crate::ext::{OwnClaims, Unavailable};
use crate::http::{Idp, Internal};

/// Claims that tokens of the house and of its neighbours use to say what the token is (RFC 7519 §4.1, RFC 9068 §2.2,
/// OpenID Connect Core §2 and §3.3.2.11, RFC 7800 §3.1, RFC 8693 §4), beside those that discovery lists.
const PROTOCOL: [&str; 17] = [
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

/// Adds the host's claims of these scopes, as far as they are wanted here. The host is not asked where there are none.
pub(super) async fn add(
    idp: &Idp,
    user: &User,
    client: &ClientId,
    scope: &Scope,
    is_wanted: impl Fn(&OwnClaims) -> bool,
    all: &mut Map<String, Value>,
) -> Result<(), Internal> {
    let own = idp.own_claims().iter();
    let granted: Vec<&OwnClaims> = own.filter(|own| scope.contains(&own.scope) && is_wanted(own)).collect();
    if granted.is_empty() {
        return Ok(());
    }
    let asked = idp.claim_source().claims(user, client, scope);
    let answer = tokio::time::timeout(idp.settings().host_deadline, asked).await;
    let told = answer.map_err(Unavailable::new).and_then(|told| told)?;
    let declared = |name: &str| granted.iter().any(|own| own.names.contains(name));
    all.extend(told.into_iter().filter(|(name, value)| declared(name) && !value.is_null()));
    Ok(())
}
