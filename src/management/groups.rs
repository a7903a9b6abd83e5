//! Groups, and which users are in them.

use std::collections::{BTreeSet, HashMap};

use serde_json::{Value, json};

use super::change::{Change, StoreChange};
use super::change_set::ChangeSet;
use super::error::Error;
use super::members::{Member, MemberKind, Members, STATE, Schema, member};
use super::validation::{Novelty, Validation};
use super::values;
use crate::crypto::random;
use crate::domain::group::{Group, GroupName};
use crate::domain::ids::{GroupId, TenantId, UserId};
use crate::domain::tenant::Tenant;
use crate::domain::user::User;
use crate::storage::{Reader, groups};

/// The members of a group.
pub(crate) const SCHEMA: Schema = Schema { members: MEMBERS, keys: &["tenant", "name"] };

const MEMBERS: &[Member] = &[
    member("tenant", MemberKind::One(values::tenant_domain)),
    member("name", MemberKind::One(values::group_name)),
    STATE,
];

/// Validates the members of a group.
pub(crate) async fn validate(set: &mut ChangeSet<'_>, members: &Members) -> Result<Change, Error> {
    let mut validation = Validation::begin(set, members)?;
    validation.group(members).await?;
    validation.finish()
}

impl Validation<'_, '_> {
    async fn group(&mut self, members: &Members) -> Result<(), Error> {
        let tenant = self.tenant_of(members).await?;
        let Ok(name) = GroupName::parse(members.text("name")) else { return Ok(()) };
        let key = format!("group {}/{name}", members.text("tenant"));
        let Some(tenant) = tenant.filter(|_| self.is_first(members, &key)) else { return Ok(()) };
        let known = groups::by_name(&mut self.set.reader.tx(), &tenant, &name).await;
        let known = known?.map(|group| group.id);
        let place = (tenant.clone(), name.clone());
        match (members.absent(), known) {
            (true, known) => {
                self.set.groups.insert(place, None);
                if let Some(id) = known {
                    self.remove(key, StoreChange::RemoveGroup(id));
                }
            }
            (false, Some(id)) => drop(self.set.groups.insert(place, Some(id))),
            (false, None) => {
                let group = Group { id: GroupId::new(random::uuid()), tenant, name };
                self.set.groups.insert(place, Some(group.id.clone()));
                self.write(StoreChange::Group(group));
                self.describe(key, Novelty::New);
            }
        }
        Ok(())
    }

    /// Puts the user into the named groups, and into no others.
    pub(super) async fn user_groups(&mut self, members: &Members, user: &User) -> Result<(), Error> {
        let Some(names) = members.list("groups") else { return Ok(()) };
        let mut wanted = BTreeSet::new();
        for (i, name) in names.into_iter().enumerate() {
            let Ok(name) = GroupName::parse(name) else { continue };
            if let Some(id) = self.group_of(&user.tenant, &name).await? {
                wanted.insert(id);
            } else {
                let tenant = members.text("tenant");
                let wrong = format!("there is no group {name} in {tenant}");
                self.mistakes.at(&members.path_of(&format!("groups[{i}]")), wrong);
            }
        }
        let stored = groups::of_user(&mut self.set.reader.tx(), &user.id).await?;
        if stored.into_iter().map(|group| group.id).collect::<BTreeSet<_>>() != wanted {
            self.write(StoreChange::UserGroups(user.id.clone(), wanted.into_iter().collect()));
        }
        Ok(())
    }

    async fn group_of(&mut self, tenant: &TenantId, name: &GroupName) -> Result<Option<GroupId>, Error> {
        if let Some(named) = self.set.groups.get(&(tenant.clone(), name.clone())) {
            return Ok(named.clone());
        }
        let found = groups::by_name(&mut self.set.reader.tx(), tenant, name).await;
        Ok(found?.map(|group| group.id))
    }
}

/// Returns the members of a tenant's groups.
pub(crate) async fn stored(reader: &mut Reader, tenant: &Tenant) -> Result<Vec<Value>, Error> {
    let all = groups::all(&mut reader.tx(), &tenant.id).await?;
    Ok(all.iter().map(|group| json!({ "tenant": tenant.domain, "name": group.name })).collect())
}

/// Returns the names of each user's groups in a tenant, sorted.
pub(crate) async fn of_users(
    reader: &mut Reader,
    tenant: &Tenant,
) -> Result<HashMap<UserId, BTreeSet<GroupName>>, Error> {
    let mut members: HashMap<UserId, BTreeSet<GroupName>> = HashMap::new();
    for (user, name) in groups::members(&mut reader.tx(), &tenant.id).await? {
        members.entry(user).or_default().insert(name);
    }
    Ok(members)
}
