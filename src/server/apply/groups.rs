//! The groups of a document, and the users in them.

use std::collections::{BTreeSet, HashMap};

use serde_json::{Value, json};

use super::ApplyError;
use super::change::Change;
use super::plan::{Novelty, Planner};
use super::read::Entry;
use crate::crypto::random;
use crate::domain::group::{Group, GroupName};
use crate::domain::ids::{GroupId, TenantId, UserId};
use crate::domain::tenant::Tenant;
use crate::domain::user::User;
use crate::storage::{Reader, groups};

impl Planner<'_> {
    pub(super) async fn group(&mut self, entry: &Entry) -> Result<(), ApplyError> {
        let tenant = self.tenant_of(entry).await?;
        let Ok(name) = GroupName::parse(entry.text("name")) else { return Ok(()) };
        let key = format!("group {}/{name}", entry.text("tenant"));
        let Some(tenant) = tenant.filter(|_| self.is_first(entry, &key)) else { return Ok(()) };
        let known = groups::by_name(&mut self.reader.tx(), &tenant, &name).await;
        let known = known.map_err(ApplyError::failed)?.map(|group| group.id);
        let place = (tenant.clone(), name.clone());
        match (entry.absent, known) {
            (true, known) => {
                self.groups.insert(place, None);
                if let Some(id) = known {
                    self.remove(key, Change::RemoveGroup(id));
                }
            }
            (false, Some(id)) => drop(self.groups.insert(place, Some(id))),
            (false, None) => {
                let group = Group { id: GroupId::new(random::uuid()), tenant, name };
                self.groups.insert(place, Some(group.id.clone()));
                let before = self.noted();
                self.change(Change::Group(group));
                self.tell(key, Novelty::New, before);
            }
        }
        Ok(())
    }

    /// The groups that a user's entry names: from then on the user is in these and no others.
    pub(super) async fn user_groups(&mut self, entry: &Entry, user: &User) -> Result<(), ApplyError> {
        let Some(names) = entry.members.get("groups").and_then(Value::as_array) else { return Ok(()) };
        let mut wanted = BTreeSet::new();
        for (i, name) in names.iter().filter_map(Value::as_str).enumerate() {
            let Ok(name) = GroupName::parse(name) else { continue };
            if let Some(id) = self.group_of(&user.tenant, &name).await? {
                wanted.insert(id);
            } else {
                let tenant = entry.text("tenant");
                let wrong = format!("there is no group {name} in {tenant}; name it under [[groups]]");
                self.mistakes.at(&entry.place_of(&format!("groups[{i}]")), wrong);
            }
        }
        let stored = groups::of_user(&mut self.reader.tx(), &user.id).await.map_err(ApplyError::failed)?;
        if stored.into_iter().map(|group| group.id).collect::<BTreeSet<_>>() != wanted {
            self.change(Change::UserGroups(user.id.clone(), wanted.into_iter().collect()));
        }
        Ok(())
    }

    async fn group_of(&mut self, tenant: &TenantId, name: &GroupName) -> Result<Option<GroupId>, ApplyError> {
        if let Some(named) = self.groups.get(&(tenant.clone(), name.clone())) {
            return Ok(named.clone());
        }
        let found = groups::by_name(&mut self.reader.tx(), tenant, name).await;
        Ok(found.map_err(ApplyError::failed)?.map(|group| group.id))
    }
}

/// The groups of a tenant as an export writes them.
pub(super) async fn stored(reader: &mut Reader, tenant: &Tenant) -> Result<Vec<Value>, ApplyError> {
    let all = groups::all(&mut reader.tx(), &tenant.id).await.map_err(ApplyError::failed)?;
    Ok(all.iter().map(|group| json!({ "tenant": tenant.domain, "name": group.name })).collect())
}

/// The names of each member's groups in a tenant, sorted.
pub(super) async fn members(
    reader: &mut Reader,
    tenant: &Tenant,
) -> Result<HashMap<UserId, BTreeSet<GroupName>>, ApplyError> {
    let mut members: HashMap<UserId, BTreeSet<GroupName>> = HashMap::new();
    for (user, name) in groups::members(&mut reader.tx(), &tenant.id).await.map_err(ApplyError::failed)? {
        members.entry(user).or_default().insert(name);
    }
    Ok(members)
}
