//! The host's own claims: which of them a client gets.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::domain::ids::ClientId;
use crate::domain::scope::Scope;
use crate::domain::user::User;
use crate::ext::Unavailable;
use crate::provider::{Idp, Internal};

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
