//! Which of a user's claims a client gets: those of the granted scopes, and those asked for one by one (Core §5.4, §5.5).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::own_claims::HostClaims;
use super::{authority, own_claims};
use crate::domain::claims::{ADDED_TO_PROFILE, ClaimRequest, PERSONAL_DESKTOP, TENANT};
use crate::domain::client::Client;
use crate::domain::grant::Grant;
use crate::domain::group::MAX_IN_TOKEN;
use crate::domain::scope::{self, GROUPS, ROLES, Scope};
use crate::domain::tenant::TenantDomain;
use crate::domain::user::User;
use crate::provider::{Idp, Internal};

/// The claims for UserInfo: those of the token's scopes, and those asked for there.
pub(super) async fn at_userinfo(
    idp: &Idp,
    user: &User,
    client: &Client,
    grant: &Grant,
    scope: &Scope,
) -> Result<Map<String, Value>, Internal> {
    let scopes = idp.scopes().await?;
    let wanted = Wanted { scope, own: scopes.own().claims_of(scope), single: &grant.claims.userinfo };
    let mut claims = told(idp, user, client, &wanted, usize::MAX).await?;
    let host = HostClaims { scope, own: &wanted.own, for_userinfo_too: true };
    own_claims::add(idp, user, &client.id, host, &mut claims).await?;
    Ok(claims)
}

/// The claims for the ID token beyond its own: those asked for there. Scopes give theirs at UserInfo (Core §5.4), but
/// which tenant a user belongs to, and which desktop is theirs, is part of who signed in. A client that never calls
/// UserInfo registers `id_token_claims` and gets the claims of `scope` here too.
pub(super) async fn in_id_token(
    idp: &Idp,
    user: &User,
    client: &Client,
    grant: &Grant,
    scope: &Scope,
) -> Result<Map<String, Value>, Internal> {
    let all = client.metadata.id_token_claims;
    let scopes = idp.scopes().await?;
    let (nothing, mut single) = (Scope::default(), grant.claims.id_token.clone());
    if !all && scope.contains("profile") {
        single.extend(ADDED_TO_PROFILE.map(|name| (name.to_owned(), None)));
    }
    let wanted = if all {
        Wanted { scope, own: scopes.own().claims_of(scope), single: &single }
    } else {
        Wanted { scope: &nothing, own: BTreeSet::new(), single: &single }
    };
    let mut claims = told(idp, user, client, &wanted, MAX_IN_TOKEN).await?;
    let host = HostClaims { scope, own: &wanted.own, for_userinfo_too: all };
    own_claims::add(idp, user, &client.id, host, &mut claims).await?;
    Ok(claims)
}

/// The claims for an access token that an API reads: roles and groups (RFC 9068 §2.2.3.1) under any scope that delivers
/// them, and whatever an API's own scopes deliver. The host is not asked: a token that is refreshed must not wait for it.
pub(super) async fn in_access_token(
    idp: &Idp,
    user: &User,
    client: &Client,
    scope: &Scope,
) -> Result<Map<String, Value>, Internal> {
    let scopes = idp.scopes().await?;
    let is_authority = |name: &&str| [ROLES, GROUPS].contains(name);
    let mut own = scopes.own().claims_of(scope);
    own.retain(is_authority);
    own.extend(scopes.own().claims_of(&scopes.own().of_apis(scope)));
    let scope: Scope = scope.iter().filter(is_authority).map(str::to_owned).collect();
    let wanted = Wanted { scope: &scope, own, single: &BTreeMap::new() };
    if wanted.scope.is_empty() && wanted.own.is_empty() {
        return Ok(Map::new());
    }
    told(idp, user, client, &wanted, MAX_IN_TOKEN).await
}

/// Which claims are wanted.
pub(super) struct Wanted<'a> {
    /// By these scopes, as far as they are the provider's.
    scope: &'a Scope,
    /// By the installation's own scopes.
    own: BTreeSet<&'a str>,
    /// One by one.
    single: &'a BTreeMap<String, Option<ClaimRequest>>,
}

impl Wanted<'_> {
    /// Whether the claim of this name is among them; `roles` and `groups` go by these names here.
    pub(super) fn has(&self, name: &str) -> bool {
        self.scope.iter().any(|word| scope::claims_of(word).contains(&name))
            || (ADDED_TO_PROFILE.contains(&name) && self.scope.contains("profile"))
            // A role is one in the user's tenant.
            || (name == TENANT && self.has(ROLES))
            || self.own.contains(name)
            || self.single.contains_key(name)
    }
}

/// The wanted claims that the store knows; groups only if there are at most so many.
async fn told(
    idp: &Idp,
    user: &User,
    client: &Client,
    wanted: &Wanted<'_>,
    max_groups: usize,
) -> Result<Map<String, Value>, Internal> {
    let tenant = idp.catalogue().tenant(&user.tenant).await?;
    let tenant = tenant.ok_or_else(|| Internal::fault(&"a user without a tenant"))?;
    let mut claims = given(user, &tenant.domain, wanted);
    authority::add(idp, user, client, &tenant.domain, wanted, max_groups, &mut claims).await?;
    Ok(claims)
}

/// The wanted claims of the profile.
fn given(user: &User, tenant: &TenantDomain, wanted: &Wanted<'_>) -> Map<String, Value> {
    let mut claims = all(user, tenant);
    claims.retain(|name, _| wanted.has(name));
    claims
}

fn all(user: &User, tenant: &TenantDomain) -> Map<String, Value> {
    let mut claims = match serde_json::to_value(&user.profile) {
        Ok(Value::Object(members)) => members,
        _ => Map::new(),
    };
    claims.insert("preferred_username".to_owned(), user.username.as_str().into());
    claims.insert("updated_at".to_owned(), user.updated_at.unix().into());
    claims.insert(TENANT.to_owned(), tenant.as_str().into());
    let desktop = user.personal_desktop.as_ref();
    claims.extend(desktop.map(|name| (PERSONAL_DESKTOP.to_owned(), name.as_str().into())));
    claims
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::claims::Profile;
    use crate::domain::epoch::Epoch;
    use crate::domain::ids::{TenantId, UserId};
    use crate::domain::time::Time;
    use crate::domain::user::{ComputerName, Username};

    fn claims(scope: &str, wanted: &[&str]) -> Value {
        let user = User {
            id: UserId::new("u"),
            tenant: TenantId::new("t"),
            username: Username::parse("anna").unwrap(),
            disabled: false,
            epoch: Epoch::default(),
            roles: Vec::new(),
            profile: Profile {
                name: Some("Anna Example".to_owned()),
                email: Some("anna@example.test".to_owned()),
                ..Profile::default()
            },
            updated_at: Time::from_unix(7),
            personal_desktop: ComputerName::parse("pc-anna").ok(),
            directory: None,
            upstream: None,
        };
        let single = wanted.iter().map(|&name| (name.to_owned(), None)).collect();
        let wanted = Wanted { scope: &Scope::parse(scope), own: BTreeSet::new(), single: &single };
        given(&user, &TenantDomain::parse("a.sms").unwrap(), &wanted).into()
    }

    #[test]
    fn a_scope_gives_its_claims_and_no_others() {
        assert_eq!(claims("openid", &[]), json!({}));
        assert_eq!(
            claims("openid profile", &[]),
            json!({
                "name": "Anna Example",
                "preferred_username": "anna",
                "tenant": "a.sms",
                "personal_desktop": "pc-anna",
                "updated_at": 7
            })
        );
        assert_eq!(
            claims("openid email phone", &[]),
            json!({ "email": "anna@example.test" }),
            "whether it was verified is left out while nobody knows"
        );
    }

    #[test]
    fn a_claim_can_be_asked_for_alone() {
        assert_eq!(claims("openid", &["name", "nickname"]), json!({ "name": "Anna Example" }));
        assert_eq!(claims("openid", &["roles"]), json!({ "tenant": "a.sms" }), "a role is one in the tenant");
    }
}
