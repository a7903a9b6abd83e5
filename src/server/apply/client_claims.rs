//! What the clients of a document say about the claims with their users' roles and groups.

use serde_json::{Map, Value, json};

use super::ApplyError;
use super::plan::Planner;
use super::read::Entry;
use crate::domain::client::ClientMetadata;
use crate::domain::ids::IssuerId;
use crate::domain::reserved_names;
use crate::domain::tenant::{Tenant, TenantDomain};

impl Planner<'_> {
    /// The members of an entry with the tenants of `groups_of` by their ids: a domain may be another tenant's one day.
    pub(super) async fn with_tenant_ids(
        &mut self,
        entry: &Entry,
        issuer: Option<&IssuerId>,
    ) -> Result<Map<String, Value>, ApplyError> {
        let mut members = entry.members.clone();
        let Some(named) = entry.members.get("groups_of").and_then(Value::as_array) else {
            return Ok(members);
        };
        if issuer.and_then(IssuerId::tenant).is_some() && !named.is_empty() {
            let wrong =
                "is for clients of the root issuer: a tenant's client knows that tenant's groups alone";
            self.mistakes.at(&entry.place_of("groups_of"), wrong);
        }
        let mut ids = Vec::new();
        for (i, domain) in named.iter().filter_map(Value::as_str).enumerate() {
            match self.tenant_by_domain(domain).await? {
                Some(id) if !ids.contains(&id) => ids.push(id),
                Some(_) => {}
                None => {
                    let place = entry.place_of(&format!("groups_of[{i}]"));
                    self.mistakes.at(&place, format!("there is no tenant {domain}"));
                }
            }
        }
        members.insert("groups_of".to_owned(), json!(ids));
        Ok(members)
    }

    /// The names of both claims must not be taken: not by a registry, not by the host, not by each other.
    pub(super) fn check_claim_names(&mut self, entry: &Entry, metadata: &ClientMetadata) {
        let names = [("roles_claim", &metadata.roles_claim), ("groups_claim", &metadata.groups_claim)];
        for (member, name) in names.into_iter().filter(|(member, _)| entry.names(member)) {
            let place = entry.place_of(member);
            if reserved_names::is_reserved_claim(name) {
                let wrong = format!("{name} is a name that the provider or a registry uses");
                self.mistakes.at(&place, wrong);
            }
            if self.idp.own_claims().iter().any(|own| own.names.contains(name.as_str())) {
                self.mistakes.at(&place, format!("{name} is a claim of the host's"));
            }
        }
        if metadata.roles_claim == metadata.groups_claim {
            self.mistakes.at(&entry.place_of("groups_claim"), "must differ from roles_claim");
        }
    }

    /// No client is called like an API: its ID tokens would pass for access tokens there.
    pub(super) fn is_no_apis_audience(&mut self, entry: &Entry) {
        if self.own_scopes.api(entry.text("client_id")).is_some() {
            self.mistakes.at(&entry.place_of("client_id"), "is the audience of an API");
        }
    }
}

/// The tenants of `groups_of` as an export writes them; those that have gone are left out.
pub(super) fn stored_tenants(metadata: &ClientMetadata, tenants: &[Tenant]) -> Vec<TenantDomain> {
    let named = metadata.groups_of.iter();
    let found = named.filter_map(|id| tenants.iter().find(|tenant| tenant.id == *id));
    found.map(|tenant| tenant.domain.clone()).collect()
}
