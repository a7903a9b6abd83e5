//! The users of a document, and their passwords.

use serde_json::{Map, Value};

use super::ApplyError;
use super::change::Change;
use super::format::NOT_CLAIMS;
use super::plan::{Novelty, Planner};
use super::read::Entry;
use crate::crypto::random;
use crate::domain::claims::Profile;
use crate::domain::epoch::Epoch;
use crate::domain::ids::{TenantId, UserId};
use crate::domain::user::{Desktop, Role, User, Username};
use crate::storage::{clients, username_keys, users};

impl Planner<'_> {
    pub(super) async fn user(&mut self, entry: &Entry) -> Result<(), ApplyError> {
        let tenant = self.tenant_of(entry).await?;
        let Ok(username) = Username::parse(entry.text("username")) else { return Ok(()) };
        let known = match &tenant {
            Some(tenant) => users::credentials(&mut self.reader.tx(), tenant, Some(&username)).await,
            None => Ok(None),
        };
        let known = known.map_err(ApplyError::failed)?;
        // Of two whose folded names are the same each has a key of its own.
        let name = known.as_ref().map_or_else(|| username.key(), |known| known.username_key.clone());
        let key = format!("user {}/{name}", entry.text("tenant"));
        let shown = format!("user {}/{username}", entry.text("tenant"));
        let Some(tenant) = tenant.filter(|_| self.is_first(entry, &key)) else { return Ok(()) };
        if known.is_none() && !entry.absent {
            self.check_name(entry, &tenant, &username).await?;
        }
        if entry.absent {
            if let Some(known) = known {
                self.remove(key, Change::RemoveUser(known.user.id));
            }
            return Ok(());
        }
        let must_change = known.as_ref().is_some_and(|known| known.must_change_password);
        let stored = known;
        let known = stored.as_ref().map(|stored| stored.user.clone());
        let novelty = if known.is_some() { Novelty::Known } else { Novelty::New };
        self.check_subject(entry, known.as_ref()).await?;
        let base = known.unwrap_or_else(|| self.new_user(entry, tenant, username.clone()));
        let before = self.noted();
        let Some(mut user) = self.merged_user(entry, &base, username) else { return Ok(()) };
        if novelty == Novelty::New || user != base {
            user.updated_at = self.idp.now();
            self.change(Change::User(Box::new(user)));
        }
        self.user_groups(entry, &base).await?;
        self.user_upstream(entry, &base).await?;
        self.password(entry, &base.id, stored.as_ref()).await?;
        let named = entry.members.get("must_change_password").and_then(Value::as_bool);
        if let Some(must) = named.filter(|must| *must != must_change) {
            self.change(Change::MustChangePassword(base.id.clone(), must));
        }
        self.authenticators(entry, &base.tenant, &base.id).await?;
        self.passkeys(entry, &base.id).await?;
        self.tell(shown, novelty, before);
        Ok(())
    }

    /// Refuses a new name that equals another user's but for its spelling.
    async fn check_name(
        &mut self,
        entry: &Entry,
        tenant: &TenantId,
        username: &Username,
    ) -> Result<(), ApplyError> {
        let sharers = username_keys::sharers(&mut self.reader.tx(), tenant, username).await;
        let sharers = sharers.map_err(ApplyError::failed)?;
        if !sharers.is_empty() {
            let names = sharers.join(" and ");
            self.mistakes
                .at(&entry.place_of("username"), format!("is the same name as {names} but for its spelling"));
        }
        Ok(())
    }

    fn new_user(&self, entry: &Entry, tenant: TenantId, username: Username) -> User {
        let id = if entry.names("sub") { entry.text("sub").to_owned() } else { random::uuid() };
        User {
            id: UserId::new(id),
            tenant,
            username,
            disabled: false,
            epoch: Epoch::default(),
            roles: Vec::new(),
            profile: Profile::default(),
            updated_at: self.idp.now(),
            personal_desktop: None,
            directory: None,
            upstream: None,
        }
    }

    /// Clients know a user by `sub`: it never changes and never serves two (OpenID Connect Core §2).
    async fn check_subject(&mut self, entry: &Entry, known: Option<&User>) -> Result<(), ApplyError> {
        if !entry.names("sub") {
            return Ok(());
        }
        let (place, id) = (entry.place_of("sub"), UserId::new(entry.text("sub")));
        match known {
            Some(user) if user.id != id => self.mistakes.at(&place, format!("the user's is {}", user.id)),
            Some(_) => {}
            None => {
                let owner = users::by_id(&mut self.reader.tx(), &id).await.map_err(ApplyError::failed)?;
                if owner.is_some() {
                    self.mistakes.at(&place, "is another user's");
                }
                let client = clients::exists(&mut self.reader.tx(), id.as_str()).await;
                if client.map_err(ApplyError::failed)? {
                    self.mistakes.at(&place, "is the client_id of a client");
                }
                self.is_first(entry, &subject_key(&id));
            }
        }
        Ok(())
    }

    /// Does a new user of the document have this `sub`?
    pub(super) fn names_subject(&self, id: &UserId) -> bool {
        self.has_seen(&subject_key(id))
    }

    fn merged_user(&mut self, entry: &Entry, base: &User, username: Username) -> Option<User> {
        let claims: Map<String, Value> = entry
            .members
            .iter()
            .filter(|(name, _)| !NOT_CLAIMS.contains(&name.as_str()))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        let profile = self.overlay(&entry.place, &base.profile, &claims)?;
        let roles = entry.members.get("roles").cloned().map(serde_json::from_value::<Vec<Role>>);
        let roles = roles.map(|roles| self.mistakes.keep(&entry.place_of("roles"), roles));
        let desktop = entry.members.get("personal_desktop");
        Some(User {
            id: base.id.clone(),
            tenant: base.tenant.clone(),
            username,
            disabled: entry.members.get("disabled").and_then(Value::as_bool).unwrap_or(base.disabled),
            epoch: base.epoch,
            roles: roles.unwrap_or_else(|| Some(base.roles.clone()))?,
            profile,
            updated_at: base.updated_at,
            personal_desktop: match desktop {
                Some(name) => name.as_str().and_then(|name| Desktop::parse(name).ok()),
                None => base.personal_desktop.clone(),
            },
            directory: base.directory.clone(),
            upstream: base.upstream.clone(),
        })
    }
}

/// The key under which a `sub` is noted, to find one that the document names twice.
fn subject_key(id: &UserId) -> String {
    format!("sub {id}")
}
