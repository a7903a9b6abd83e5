//! What cannot be removed, because something that stays refers to it.

use super::change_set::ChangeSet;
use super::clients;
use super::error::Error;
use super::mistakes::Mistake;
use crate::domain::client::GrantType;
use crate::storage;
use crate::storage::tenants;

impl ChangeSet<'_> {
    /// Returns, by key, what cannot be removed because something that stays refers to it. Called after the last
    /// validation: what refers to it may be removed by the same set.
    pub(crate) async fn check_removals(&mut self) -> Result<Vec<(String, Mistake)>, Error> {
        let mut holders = std::mem::take(&mut self.holders);
        holders.extend(self.scope_holders().await?);
        let mut used = Vec::new();
        for (key, holders) in holders {
            let left: Vec<_> = holders.into_iter().filter(|holder| !self.removes(holder)).take(3).collect();
            if !left.is_empty() {
                used.push((key, Mistake::of_thing(format!("is still used by {}", left.join(", ")))));
            }
        }
        Ok(used)
    }

    /// Returns whether the set removes the thing of this key, by itself or with its tenant.
    fn removes(&self, key: &str) -> bool {
        let of_tenant = key.strip_prefix("user ").or_else(|| key.strip_prefix("client "));
        let tenant = of_tenant.and_then(|name| name.split_once('/'));
        self.removed.iter().any(|removed| removed == key)
            || tenant.is_some_and(|(tenant, _)| self.removed.contains(&format!("tenant {tenant}")))
    }

    /// Returns what refers to each own scope that the set removes: APIs, and clients whose `scope` could not be applied
    /// again. Clients whose `scope` the set names were checked by themselves.
    async fn scope_holders(&mut self) -> Result<Vec<(String, Vec<String>)>, Error> {
        let mut found = Vec::new();
        for name in std::mem::take(&mut self.removed_scopes) {
            if self.own_scopes.scope(&name).is_some() {
                continue;
            }
            let owners = self.own_scopes.apis.iter().filter(|api| api.scopes.contains(&name));
            let mut holders: Vec<String> =
                owners.map(|api| format!("api {}", api.audience.as_str())).collect();
            holders.extend(self.clients_registered_for(&name).await?);
            found.push((format!("scope {name}"), holders));
        }
        Ok(found)
    }

    async fn clients_registered_for(&mut self, scope: &str) -> Result<Vec<String>, Error> {
        let mut keys = Vec::new();
        for client in storage::clients::all(&mut self.reader.tx()).await? {
            let metadata = &client.metadata;
            let is_registered = metadata.scope.as_ref().is_some_and(|registered| registered.contains(scope));
            if !is_registered || metadata.may_use(GrantType::ClientCredentials) {
                continue;
            }
            let tenant = match client.issuer.tenant() {
                Some(tenant) => tenants::by_id(&mut self.reader.tx(), &tenant).await?,
                None => None,
            };
            let domain = tenant.as_ref().map(|tenant| tenant.domain.as_str());
            let key = clients::key_of(domain, client.id.as_str());
            if !self.clients_with_scope.contains(&key) {
                keys.push(key);
            }
        }
        Ok(keys)
    }
}
