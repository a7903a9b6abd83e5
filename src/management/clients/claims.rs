//! The names of the claims with users' roles and groups, and whose groups a client of the root issuer sees.

use serde_json::{Map, Value, json};

use crate::domain::client::ClientMetadata;
use crate::domain::ids::IssuerId;
use crate::domain::reserved_names;
use crate::management::error::Error;
use crate::management::members::Members;
use crate::management::validation::Validation;

impl Validation<'_, '_> {
    /// Returns the members with the tenants of `groups_of` by id: a domain may become another tenant's.
    pub(super) async fn with_tenant_ids(
        &mut self,
        members: &Members,
        issuer: Option<&IssuerId>,
    ) -> Result<Map<String, Value>, Error> {
        let mut values = members.values().clone();
        let Some(named) = members.list("groups_of") else { return Ok(values) };
        if issuer.and_then(IssuerId::tenant).is_some() && !named.is_empty() {
            let wrong =
                "is for clients of the root issuer: a tenant's client knows that tenant's groups alone";
            self.mistakes.at(&members.path_of("groups_of"), wrong);
        }
        let mut ids = Vec::new();
        for (i, domain) in named.into_iter().enumerate() {
            match self.set.tenant_by_domain(domain).await? {
                Some(id) if !ids.contains(&id) => ids.push(id),
                Some(_) => {}
                None => {
                    let place = members.path_of(&format!("groups_of[{i}]"));
                    self.mistakes.at(&place, format!("there is no tenant {domain}"));
                }
            }
        }
        values.insert("groups_of".to_owned(), json!(ids));
        Ok(values)
    }

    /// Checks that the names of both claims are neither registered, nor the host's, nor equal.
    pub(super) fn check_claim_names(&mut self, members: &Members, metadata: &ClientMetadata) {
        let names = [("roles_claim", &metadata.roles_claim), ("groups_claim", &metadata.groups_claim)];
        for (member, name) in names.into_iter().filter(|(member, _)| members.names(member)) {
            let place = members.path_of(member);
            if reserved_names::is_reserved_claim(name) {
                let wrong = format!("{name} is a name that the provider or a registry uses");
                self.mistakes.at(&place, wrong);
            }
            if self.management.own_claims.iter().any(|own| own.names.contains(name.as_str())) {
                self.mistakes.at(&place, format!("{name} is a claim of the host's"));
            }
        }
        if metadata.roles_claim == metadata.groups_claim {
            self.mistakes.at(&members.path_of("groups_claim"), "must differ from roles_claim");
        }
    }

    /// Refuses the audience of an API as a `client_id`: the API would accept the client's ID tokens as access tokens.
    pub(super) fn refuse_api_audience(&mut self, members: &Members) {
        if self.set.own_scopes.api(members.text("client_id")).is_some() {
            self.mistakes.at(&members.path_of("client_id"), "is the audience of an API");
        }
    }
}
