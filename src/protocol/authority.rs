//! The claims that say what a user may do elsewhere: roles and groups, by the names and in the form that the client
//! registered.
//!
//! An empty list means none. A list that is too long for a token is left out, because a truncated list would mean that
//! the user is in no other group.

use serde_json::{Map, Value, json};

use super::claims::Wanted;
use crate::domain::client::Client;
use crate::domain::group::GroupForm;
use crate::domain::scope::{GROUPS, ROLES};
use crate::domain::tenant::TenantDomain;
use crate::domain::user::User;
use crate::provider::{Idp, Internal};
use crate::storage::groups;

/// Adds the requested ones of the two claims.
pub(super) async fn add(
    idp: &Idp,
    user: &User,
    client: &Client,
    tenant: &TenantDomain,
    wanted: &Wanted<'_>,
    max_groups: usize,
    claims: &mut Map<String, Value>,
) -> Result<(), Internal> {
    let (form, names) = (GroupForm::of(client, &user.tenant), &client.metadata);
    if wanted.has(ROLES) {
        let roles = if form == GroupForm::Withheld { json!([]) } else { json!(user.roles) };
        claims.insert(names.roles_claim.clone(), roles);
    }
    if wanted.has(GROUPS) {
        let stored = match form {
            GroupForm::Withheld => Vec::new(),
            GroupForm::Bare | GroupForm::Qualified => {
                groups::of_user(&mut idp.db().read().tx(), &user.id).await?
            }
        };
        if stored.len() <= max_groups {
            let stored: Vec<_> = stored.into_iter().map(|group| group.name).collect();
            claims.insert(names.groups_claim.clone(), json!(form.names(tenant, &stored)));
        }
    }
    Ok(())
}
