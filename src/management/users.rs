//! Users: their names, profile, roles, groups and credentials.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::change::{Change, StoreChange};
use super::change_set::ChangeSet;
use super::context::Management;
use super::error::Error;
use super::members::{DISABLED, Member, MemberKind, Members, STATE, Schema, member};
use super::validation::{Novelty, Validation};
use super::{authenticators, passkeys, stored, values};
use crate::crypto::random;
use crate::domain::claims::Profile;
use crate::domain::epoch::Epoch;
use crate::domain::group::GroupName;
use crate::domain::ids::{TenantId, UserId};
use crate::domain::tenant::Tenant;
use crate::domain::upstream::Slug;
use crate::domain::user::{ComputerName, Role, User, Username};
use crate::storage::users::UserCredentials;
use crate::storage::{self, Reader, clients, username_keys, users};

/// The members of a user.
pub(crate) const SCHEMA: Schema = Schema { members: MEMBERS, keys: &["tenant", "username"] };

const MEMBERS: &[Member] = &[
    member("tenant", MemberKind::One(values::tenant_domain)),
    member("username", MemberKind::One(values::username)),
    STATE,
    member("sub", MemberKind::One(values::subject)),
    member("password", MemberKind::One(values::secret)),
    member("password_hash", MemberKind::One(values::secret)),
    member("must_change_password", MemberKind::One(values::flag)),
    member("upstream", MemberKind::One(values::optional_slug)),
    member("upstream_subject", MemberKind::One(values::text)),
    DISABLED,
    member("roles", MemberKind::Words(&["admin"])),
    member("groups", MemberKind::Each(values::group_name)),
    member("name", MemberKind::One(values::text)),
    member("given_name", MemberKind::One(values::text)),
    member("family_name", MemberKind::One(values::text)),
    member("middle_name", MemberKind::One(values::text)),
    member("nickname", MemberKind::One(values::text)),
    member("profile", MemberKind::One(values::web_address)),
    member("picture", MemberKind::One(values::web_address)),
    member("website", MemberKind::One(values::web_address)),
    member("email", MemberKind::One(values::email)),
    member("email_verified", MemberKind::One(values::flag)),
    member("gender", MemberKind::One(values::text)),
    member("birthdate", MemberKind::One(values::birthdate)),
    member("zoneinfo", MemberKind::One(values::text)),
    member("locale", MemberKind::One(values::language_tag)),
    member("phone_number", MemberKind::One(values::phone)),
    member("phone_number_verified", MemberKind::One(values::flag)),
    member("address", MemberKind::Table(ADDRESS)),
    member("personal_desktop", MemberKind::One(values::desktop)),
    member("authenticators", MemberKind::Tables(authenticators::MEMBERS)),
    member("passkeys", MemberKind::Tables(passkeys::MEMBERS)),
];

/// The members of [`MEMBERS`] that are not standard claims.
const NOT_CLAIMS: [&str; 15] = [
    "tenant",
    "username",
    "state",
    "sub",
    "password",
    "password_hash",
    "must_change_password",
    "upstream",
    "upstream_subject",
    "disabled",
    "roles",
    "groups",
    "personal_desktop",
    "authenticators",
    "passkeys",
];

const ADDRESS: &[Member] = &[
    member("formatted", MemberKind::One(values::lines)),
    member("street_address", MemberKind::One(values::lines)),
    member("locality", MemberKind::One(values::text)),
    member("region", MemberKind::One(values::text)),
    member("postal_code", MemberKind::One(values::text)),
    member("country", MemberKind::One(values::text)),
];

/// Validates the members of a user, credentials included.
pub(crate) async fn validate(set: &mut ChangeSet<'_>, members: &Members) -> Result<Change, Error> {
    let mut validation = Validation::begin(set, members)?;
    validation.user(members).await?;
    validation.finish()
}

/// Returns the members of a user, credentials included. `upstream` is the name of the provider where the user signs in.
pub(crate) async fn stored(
    management: Management<'_>,
    reader: &mut Reader,
    tenant: &Tenant,
    credentials: UserCredentials,
    upstream: Option<&Slug>,
    groups: Option<BTreeSet<GroupName>>,
) -> Result<Map<String, Value>, Error> {
    let UserCredentials { user, password_hash, must_change_password, has, .. } = credentials;
    let mut table = stored::table(&user.profile)?;
    let mut put = |name: &str, value: Value| drop(table.insert(name.to_owned(), value));
    put("tenant", json!(tenant.domain));
    put("username", json!(user.username));
    put("sub", json!(user.id));
    put("password_hash", json!(password_hash));
    put("must_change_password", json!(must_change_password.then_some(true)));
    put("disabled", json!(user.disabled.then_some(true)));
    put("personal_desktop", json!(user.personal_desktop));
    put("roles", json!(Some(user.roles).filter(|roles| !roles.is_empty())));
    put("groups", json!(groups));
    put("upstream", json!(upstream));
    put("upstream_subject", json!(user.upstream.and_then(|account| account.subject)));
    if has.authenticator
        && let Some(device) = storage::authenticators::active(&mut reader.tx(), &user.id).await?
    {
        put("authenticators", json!([authenticators::stored(management.sealer, &device)?]));
    }
    if has.passkeys {
        let own = storage::passkeys::of_user(&mut reader.tx(), &user.id).await?;
        put("passkeys", own.iter().map(passkeys::stored).collect());
    }
    Ok(table)
}

impl Validation<'_, '_> {
    async fn user(&mut self, members: &Members) -> Result<(), Error> {
        let tenant = self.tenant_of(members).await?;
        let Ok(username) = Username::parse(members.text("username")) else { return Ok(()) };
        let known = match &tenant {
            Some(tenant) => users::credentials(&mut self.set.reader.tx(), tenant, Some(&username)).await,
            None => Ok(None),
        };
        let known = known?;
        // Of two whose folded names are the same each has a key of its own.
        let name = known.as_ref().map_or_else(|| username.key(), |known| known.username_key.clone());
        let key = format!("user {}/{name}", members.text("tenant"));
        let shown = format!("user {}/{username}", members.text("tenant"));
        let Some(tenant) = tenant.filter(|_| self.is_first(members, &key)) else { return Ok(()) };
        if known.is_none() && !members.absent() {
            self.check_name(members, &tenant, &username).await?;
        }
        if members.absent() {
            if let Some(known) = known {
                self.remove(key, StoreChange::RemoveUser(known.user.id));
            }
            return Ok(());
        }
        let must_change = known.as_ref().is_some_and(|known| known.must_change_password);
        let stored = known;
        let known = stored.as_ref().map(|stored| stored.user.clone());
        let novelty = Novelty::of(known.as_ref());
        self.check_subject(members, known.as_ref()).await?;
        let base = known.unwrap_or_else(|| self.new_user(members, tenant, username.clone()));
        let Some(mut user) = self.merged_user(members, &base, username) else { return Ok(()) };
        if novelty == Novelty::New || user != base {
            user.updated_at = self.management.now();
            self.write(StoreChange::User(Box::new(user)));
        }
        self.user_groups(members, &base).await?;
        self.user_upstream(members, &base).await?;
        self.password(members, &base.id, stored.as_ref()).await?;
        let named = members.flag("must_change_password");
        if let Some(must) = named.filter(|must| *must != must_change) {
            self.write(StoreChange::MustChangePassword(base.id.clone(), must));
        }
        self.authenticators(members, &base.tenant, &base.id).await?;
        self.passkeys(members, &base.id).await?;
        self.describe(shown, novelty);
        Ok(())
    }

    /// Refuses a new name that equals another user's but for its spelling.
    async fn check_name(
        &mut self,
        members: &Members,
        tenant: &TenantId,
        username: &Username,
    ) -> Result<(), Error> {
        let sharers = username_keys::sharers(&mut self.set.reader.tx(), tenant, username).await;
        let sharers = sharers?;
        if !sharers.is_empty() {
            let names = sharers.join(" and ");
            self.mistakes.at(
                &members.path_of("username"),
                format!("is the same name as {names} but for its spelling"),
            );
        }
        Ok(())
    }

    fn new_user(&self, members: &Members, tenant: TenantId, username: Username) -> User {
        let id = if members.names("sub") { members.text("sub").to_owned() } else { random::uuid() };
        User {
            id: UserId::new(id),
            tenant,
            username,
            disabled: false,
            epoch: Epoch::default(),
            roles: Vec::new(),
            profile: Profile::default(),
            updated_at: self.management.now(),
            personal_desktop: None,
            directory: None,
            upstream: None,
        }
    }

    /// Refuses another `sub` for a stored user, and one that is used already: clients know a user by it (OpenID Connect
    /// Core §2).
    async fn check_subject(&mut self, members: &Members, known: Option<&User>) -> Result<(), Error> {
        if !members.names("sub") {
            return Ok(());
        }
        let (place, id) = (members.path_of("sub"), UserId::new(members.text("sub")));
        match known {
            Some(user) if user.id != id => self.mistakes.at(&place, format!("the user's is {}", user.id)),
            Some(_) => {}
            None => {
                let owner = users::by_id(&mut self.set.reader.tx(), &id).await?;
                if owner.is_some() {
                    self.mistakes.at(&place, "is another user's");
                }
                let client = clients::exists(&mut self.set.reader.tx(), id.as_str()).await;
                if client? {
                    self.mistakes.at(&place, "is the client_id of a client");
                }
                self.is_first(members, &subject_key(&id));
            }
        }
        Ok(())
    }

    /// Returns whether a new user of the set has this `sub`.
    pub(super) fn names_subject(&self, id: &UserId) -> bool {
        self.set.has_seen(&subject_key(id))
    }

    fn merged_user(&mut self, members: &Members, base: &User, username: Username) -> Option<User> {
        let claims: Map<String, Value> = members
            .values()
            .iter()
            .filter(|(name, _)| !NOT_CLAIMS.contains(&name.as_str()))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        let profile = self.overlay(members.path(), &base.profile, &claims)?;
        let roles = members.get("roles").cloned().map(serde_json::from_value::<Vec<Role>>);
        let roles = roles.map(|roles| self.mistakes.keep(&members.path_of("roles"), roles));
        let desktop = members.get("personal_desktop");
        Some(User {
            id: base.id.clone(),
            tenant: base.tenant.clone(),
            username,
            disabled: members.flag("disabled").unwrap_or(base.disabled),
            epoch: base.epoch,
            roles: roles.unwrap_or_else(|| Some(base.roles.clone()))?,
            profile,
            updated_at: base.updated_at,
            personal_desktop: match desktop {
                Some(name) => name.as_str().and_then(|name| ComputerName::parse(name).ok()),
                None => base.personal_desktop.clone(),
            },
            directory: base.directory.clone(),
            upstream: base.upstream.clone(),
        })
    }
}

/// The key under which a `sub` is recorded, to find one that two users of the set have.
fn subject_key(id: &UserId) -> String {
    format!("sub {id}")
}
