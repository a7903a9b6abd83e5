//! Which of a user's claims a client gets: those of the granted scopes, and those asked for one by one (Core §5.4, §5.5).

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::own_claims;
use crate::domain::claims::ClaimRequest;
use crate::domain::client::Client;
use crate::domain::grant::Grant;
use crate::domain::scope::{self, Scope};
use crate::domain::tenant::TenantDomain;
use crate::domain::user::User;
use crate::http::{Idp, Internal};

/// The domain of the user's tenant.
pub(super) const TENANT: &str = "tenant";
/// The user's office computer.
const PERSONAL_DESKTOP: &str = "personal_desktop";
/// Our own, given with `profile`.
const OURS: [&str; 2] = [TENANT, PERSONAL_DESKTOP];

/// The names that discovery advertises, beside those of the ID token.
pub(super) fn supported() -> impl Iterator<Item = &'static str> {
    scope::SUPPORTED.into_iter().flat_map(scope::claims_of).copied().chain(OURS)
}

/// The claims for UserInfo: those of the token's scopes, and those asked for there.
pub(super) async fn at_userinfo(
    idp: &Idp,
    user: &User,
    grant: &Grant,
    scope: &Scope,
) -> Result<Map<String, Value>, Internal> {
    let tenant = tenant(idp, user).await?;
    let mut claims = given(user, &tenant, scope, &grant.claims.userinfo);
    own_claims::add(idp, user, &grant.client, scope, |_| true, &mut claims).await?;
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
    let tenant = tenant(idp, user).await?;
    let all = client.metadata.id_token_claims;
    let mut claims = if all {
        given(user, &tenant, scope, &grant.claims.id_token)
    } else {
        let mut wanted = grant.claims.id_token.clone();
        if scope.contains("profile") {
            wanted.extend(OURS.map(|name| (name.to_owned(), None)));
        }
        given(user, &tenant, &Scope::default(), &wanted)
    };
    own_claims::add(idp, user, &client.id, scope, |own| all || own.in_id_token, &mut claims).await?;
    Ok(claims)
}

async fn tenant(idp: &Idp, user: &User) -> Result<TenantDomain, Internal> {
    let tenant = idp.catalogue().tenant(&user.tenant).await?;
    Ok(tenant.ok_or_else(|| Internal::fault(&"a user without a tenant"))?.domain.clone())
}

/// Claims asked for one by one.
type Wanted = BTreeMap<String, Option<ClaimRequest>>;

/// The claims of these scopes and names that the user has.
fn given(user: &User, tenant: &TenantDomain, scope: &Scope, wanted: &Wanted) -> Map<String, Value> {
    let in_scope = |name: &str| {
        (OURS.contains(&name) && scope.contains("profile"))
            || scope.iter().any(|word| scope::claims_of(word).contains(&name))
    };
    let mut claims = all(user, tenant);
    claims.retain(|name, _| in_scope(name) || wanted.contains_key(name));
    claims
}

fn all(user: &User, tenant: &TenantDomain) -> Map<String, Value> {
    let mut claims = match serde_json::to_value(&user.profile) {
        Ok(Value::Object(members)) => members,
        _ => Map::new(),
    };
    // Whether an address was verified is part of saying it.
    for (address, verified) in [("email", "email_verified"), ("phone_number", "phone_number_verified")] {
        if claims.contains_key(address) {
            claims.entry(verified).or_insert(Value::Bool(false));
        }
    }
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
    use crate::domain::user::{Desktop, Username};

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
            personal_desktop: Desktop::parse("pc-anna").ok(),
            directory: None,
            upstream: None,
        };
        let wanted = wanted.iter().map(|&name| (name.to_owned(), None)).collect();
        given(&user, &TenantDomain::parse("a.sms").unwrap(), &Scope::parse(scope), &wanted).into()
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
            json!({ "email": "anna@example.test", "email_verified": false })
        );
    }

    #[test]
    fn a_claim_can_be_asked_for_alone() {
        assert_eq!(claims("openid", &["name", "nickname", "roles"]), json!({ "name": "Anna Example" }));
    }
}
