//! Changes that are written together: each thing is validated as if the ones before it were written.

use std::collections::{BTreeMap, HashSet};

use super::context::Management;
use super::error::Error;
use crate::domain::group::GroupName;
use crate::domain::ids::{GroupId, ResellerId, TenantId};
use crate::domain::own_scopes::OwnScopes;
use crate::domain::tenant::TenantDomain;
use crate::domain::upstream::Upstream;
use crate::storage::{Reader, own_scopes, tenants};

/// What earlier changes of the set will have made of the store.
pub(crate) struct ChangeSet<'a> {
    pub(super) management: Management<'a>,
    pub(super) reader: Reader,
    /// The set's tenants by domain; `None` = removed.
    tenants: BTreeMap<String, Option<TenantId>>,
    /// The set's resellers by name; `None` = removed.
    pub(super) resellers: BTreeMap<String, Option<ResellerId>>,
    /// The set's upstream providers by name; `None` = removed.
    pub(super) upstreams: BTreeMap<String, Option<Upstream>>,
    /// The set's groups; `None` = removed.
    pub(super) groups: BTreeMap<(TenantId, GroupName), Option<GroupId>>,
    /// The installation's own scopes and APIs as they will be.
    pub(super) own_scopes: OwnScopes,
    /// The reseller of each of the set's tenants.
    pub(super) managers: BTreeMap<TenantId, Option<ResellerId>>,
    /// The own scopes that are to be removed, by name.
    pub(super) removed_scopes: Vec<String>,
    /// The keys of the clients whose members name `scope`.
    pub(super) clients_with_scope: HashSet<String>,
    /// The keys of what is removed.
    pub(super) removed: Vec<String>,
    /// The key of each thing that is to be removed, and the keys of what refers to it.
    pub(super) holders: Vec<(String, Vec<String>)>,
    /// The natural keys met so far.
    seen: HashSet<String>,
    /// Whether anything in the set is wrong, so that nothing of it will be written.
    pub(super) has_mistakes: bool,
}

impl<'a> Management<'a> {
    /// Begins a set of changes that are written together.
    pub(crate) async fn change_set(self) -> Result<ChangeSet<'a>, Error> {
        let mut reader = self.db.read();
        let own_scopes = own_scopes::all(&mut reader.tx()).await?;
        Ok(ChangeSet {
            management: self,
            reader,
            tenants: BTreeMap::new(),
            resellers: BTreeMap::new(),
            upstreams: BTreeMap::new(),
            groups: BTreeMap::new(),
            own_scopes,
            managers: BTreeMap::new(),
            removed_scopes: Vec::new(),
            clients_with_scope: HashSet::new(),
            removed: Vec::new(),
            holders: Vec::new(),
            seen: HashSet::new(),
            has_mistakes: false,
        })
    }
}

impl ChangeSet<'_> {
    /// Records a natural key; returns whether it was new to the set.
    pub(super) fn see(&mut self, key: &str) -> bool {
        self.seen.insert(key.to_owned())
    }

    /// Returns whether this natural key was recorded.
    pub(super) fn has_seen(&self, key: &str) -> bool {
        self.seen.contains(key)
    }

    /// Records what a tenant domain means from now on.
    pub(super) fn know_tenant(&mut self, domain: &TenantDomain, id: Option<TenantId>) {
        self.tenants.insert(domain.as_str().to_owned(), id);
    }

    /// Returns the tenant of this domain, in the set or in the store.
    pub(super) async fn tenant_by_domain(&mut self, name: &str) -> Result<Option<TenantId>, Error> {
        if let Some(known) = self.tenants.get(name) {
            return Ok(known.clone());
        }
        let Ok(domain) = TenantDomain::parse(name) else { return Ok(None) };
        let found = tenants::by_domain(&mut self.reader.tx(), &domain).await?;
        Ok(found.map(|tenant| tenant.id))
    }
}
