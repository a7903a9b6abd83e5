//! Upstream providers, and which users sign in there.

use serde_json::{Map, Value, json};

use super::change::{Change, StoreChange};
use super::change_set::ChangeSet;
use super::error::Error;
use super::members::{Member, MemberKind, Members, STATE, Schema, member};
use super::stored;
use super::validation::{Novelty, Validation, listed};
use super::values;
use crate::crypto::random;
use crate::domain::ids::{ResellerId, TenantId, UpstreamId};
use crate::domain::tenant::Tenant;
use crate::domain::upstream::{
    Authentication, Owner, Reseller, Slug, Upstream, UpstreamAccount, UpstreamRules,
};
use crate::domain::user::User;
use crate::storage::tenants;
use crate::storage::upstreams::{self, StoredUpstream};

/// The members that make up [`UpstreamRules`].
const RULES: [&str; 5] =
    ["mfa_acr", "mfa_amr", "activation_url", "token_endpoint_auth_method", "id_token_signed_response_alg"];

/// The members of an upstream provider.
pub(crate) const SCHEMA: Schema = Schema { members: MEMBERS, keys: &["name"] };

const MEMBERS: &[Member] = &[
    member("name", MemberKind::One(values::slug)),
    STATE,
    member("reseller", MemberKind::One(values::slug)),
    member("tenant", MemberKind::One(values::tenant_domain)),
    member("title", MemberKind::One(values::text)),
    member("issuer", MemberKind::One(values::issuer)),
    member("client_id", MemberKind::One(values::client_id)),
    member("client_secret", MemberKind::One(values::secret)),
    member("token_endpoint_auth_method", MemberKind::Word(&Authentication::NAMES)),
    member("id_token_signed_response_alg", MemberKind::Word(UPSTREAM_ALGORITHMS)),
    member("mfa_acr", MemberKind::Each(values::text)),
    member("mfa_amr", MemberKind::Each(values::text)),
    member("activation_url", MemberKind::One(values::web_address)),
];

/// The algorithms of ID tokens that are verified; `HS…` is accepted only where it is registered.
const UPSTREAM_ALGORITHMS: &[&str] = &[
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA", "HS256", "HS384",
    "HS512",
];

/// Validates the members of an upstream provider.
pub(crate) async fn validate(set: &mut ChangeSet<'_>, members: &Members) -> Result<Change, Error> {
    let mut validation = Validation::begin(set, members)?;
    validation.upstream(members).await?;
    validation.finish()
}

/// Returns the members of an upstream provider; its secret is never shown.
pub(crate) fn stored(
    upstream: &Upstream,
    tenants: &[Tenant],
    resellers: &[Reseller],
) -> Result<Value, Error> {
    let mut table = stored::without_defaults(&upstream.rules)?;
    let mut put = |name: &str, value: Value| drop(table.insert(name.to_owned(), value));
    match &upstream.owner {
        Owner::Reseller(id) => {
            put("reseller", json!(resellers.iter().find(|it| it.id == *id).map(|it| &it.name)));
        }
        Owner::Tenant(id) => {
            put("tenant", json!(tenants.iter().find(|it| it.id == *id).map(|it| &it.domain)));
        }
    }
    put("name", json!(upstream.name));
    put("title", json!(upstream.title));
    put("issuer", json!(upstream.issuer));
    put("client_id", json!(upstream.client_id));
    Ok(Value::Object(table))
}

impl Validation<'_, '_> {
    async fn upstream(&mut self, members: &Members) -> Result<(), Error> {
        let Ok(name) = Slug::parse(members.text("name")) else { return Ok(()) };
        let key = format!("upstream {name}");
        if !self.is_first(members, &key) {
            return Ok(());
        }
        let known = upstreams::by_name(&mut self.set.reader.tx(), name.as_str()).await?;
        if members.absent() {
            self.set.upstreams.insert(name.to_string(), None);
            if let Some(stored) = known {
                let holders = upstreams::holders(&mut self.set.reader.tx(), &stored.upstream.id).await;
                self.held(&key, holders?);
                self.remove(key, StoreChange::RemoveUpstream(stored.upstream.id));
            }
            return Ok(());
        }
        let Some(owner) = self.owner(members, known.as_ref()).await? else { return Ok(()) };
        let Some(upstream) = self.merged_upstream(members, name, owner, known.as_ref()) else {
            return Ok(());
        };
        let sealed_secret = self.upstream_secret(members, &upstream, known.as_ref())?;
        let stored = StoredUpstream { upstream, sealed_secret };
        self.set.upstreams.insert(members.text("name").to_owned(), Some(stored.upstream.clone()));
        let novelty = Novelty::of(known.as_ref());
        if let Some(known) = &known {
            self.moves(&key, &known.upstream, &stored.upstream).await?;
        }
        if known.as_ref() != Some(&stored) {
            self.write(StoreChange::Upstream(Box::new(stored)));
        }
        self.describe(key, novelty);
        Ok(())
    }

    /// Notes the users who sign in at a provider that gets another issuer or owner, and ends what they signed in with.
    async fn moves(&mut self, key: &str, old: &Upstream, new: &Upstream) -> Result<(), Error> {
        if old.issuer == new.issuer && old.owner == new.owner {
            return Ok(());
        }
        self.write(StoreChange::EndAtUpstream(old.id.clone()));
        let holders = upstreams::holders(&mut self.set.reader.tx(), &old.id).await?;
        if holders.is_empty() {
            return Ok(());
        }
        let users = listed(&holders);
        if old.issuer != new.issuer {
            let told =
                "is linked by subjects of the old issuer: whoever has one of them at the new issuer signs in";
            self.note(format!("{key} has another issuer; {users} {told}"));
        }
        if old.owner != new.owner {
            let told = "can sign in only where the tenant is offered it by its new owner";
            self.note(format!("{key} has another owner; {users} {told}"));
        }
        Ok(())
    }

    async fn owner(
        &mut self,
        members: &Members,
        known: Option<&StoredUpstream>,
    ) -> Result<Option<Owner>, Error> {
        match (members.names("reseller"), members.names("tenant")) {
            (true, false) => Ok(self.reseller_of(members).await?.map(Owner::Reseller)),
            (false, true) => Ok(self.tenant_of(members).await?.map(Owner::Tenant)),
            (false, false) if known.is_some() => Ok(known.map(|stored| stored.upstream.owner.clone())),
            _ => {
                self.mistakes.at(members.path(), "must name either a reseller or a tenant");
                Ok(None)
            }
        }
    }

    fn merged_upstream(
        &mut self,
        members: &Members,
        name: Slug,
        owner: Owner,
        known: Option<&StoredUpstream>,
    ) -> Option<Upstream> {
        let known = known.map(|stored| &stored.upstream);
        let mut text = |member: &str, before: Option<&String>| {
            let named = members
                .names(member)
                .then(|| members.text(member).to_owned())
                .filter(|text| !text.is_empty());
            let value = named.or_else(|| before.cloned());
            if value.is_none() {
                self.mistakes.at(&members.path_of(member), "is missing");
            }
            value
        };
        let title = text("title", known.map(|known| &known.title));
        let issuer = text("issuer", known.map(|known| &known.issuer));
        let client_id = text("client_id", known.map(|known| &known.client_id));
        let named: Map<String, Value> = members
            .values()
            .iter()
            .filter(|(name, _)| RULES.contains(&name.as_str()))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        let rules = known.map(|known| known.rules.clone()).unwrap_or_default();
        let rules: UpstreamRules = self.overlay(members.path(), &rules, &named)?;
        let id = known.map_or_else(|| UpstreamId::new(random::uuid()), |known| known.id.clone());
        Some(Upstream { id, name, owner, title: title?, issuer: issuer?, client_id: client_id?, rules })
    }

    /// Returns the sealed secret. An equal one is not sealed again: that would look like a change.
    fn upstream_secret(
        &mut self,
        members: &Members,
        upstream: &Upstream,
        known: Option<&StoredUpstream>,
    ) -> Result<Option<String>, Error> {
        let place = members.path_of("client_secret");
        let before = known.and_then(|known| known.sealed_secret.clone());
        let named = members.text("client_secret");
        if upstream.rules.token_endpoint_auth_method == Authentication::None {
            if members.names("client_secret") {
                self.mistakes.at(&place, "has no use with the method none");
            }
            return Ok(None);
        }
        if named.is_empty() {
            if before.is_none() {
                self.mistakes.at(&place, "is missing (an export never holds it)");
            }
            return Ok(before);
        }
        self.refuse_sample(&place, named);
        let (sealer, row) = (self.management.sealer, StoredUpstream::row(&upstream.id));
        if let Some(sealed) = &before
            && sealer.open(sealed, &row).is_ok_and(|secret| secret.as_slice() == named.as_bytes())
        {
            return Ok(before);
        }
        sealer.seal(named.as_bytes(), &row).map(Some).map_err(Error::from)
    }

    /// Sets the upstream account of a user. Another one than before removes the local credentials.
    pub(super) async fn user_upstream(&mut self, members: &Members, user: &User) -> Result<(), Error> {
        let account = self.account(members, user).await?;
        if account.is_some() {
            for member in ["password", "password_hash", "authenticators", "passkeys"] {
                let empty = members.get(member).and_then(Value::as_array).is_some_and(Vec::is_empty);
                if members.names(member) && !empty {
                    self.mistakes.at(&members.path_of(member), "has no use: the user signs in upstream");
                }
            }
        }
        if account != user.upstream {
            self.write(StoreChange::SignsInAt(user.id.clone(), account));
        }
        Ok(())
    }

    async fn account(&mut self, members: &Members, user: &User) -> Result<Option<UpstreamAccount>, Error> {
        let named_subject = Some(members.text("upstream_subject")).filter(|subject| !subject.is_empty());
        let name = match members.get("upstream") {
            Some(name) => name.as_str().map(str::to_owned),
            None if members.names("upstream_subject") => {
                self.mistakes.at(&members.path_of("upstream_subject"), "has no use without upstream");
                return Ok(None);
            }
            None => return Ok(user.upstream.clone()),
        };
        let Some(name) = name else { return Ok(None) };
        let place = members.path_of("upstream");
        let Some(upstream) = self.upstream_named(&name).await? else {
            self.mistakes.at(&place, format!("there is no upstream {name}"));
            return Ok(None);
        };
        let offered = match &upstream.owner {
            Owner::Tenant(tenant) => *tenant == user.tenant,
            Owner::Reseller(reseller) => self.managed_by(&user.tenant).await?.as_ref() == Some(reseller),
        };
        if !offered {
            self.mistakes.at(&place, "is neither the tenant's nor its reseller's");
        }
        let before = user.upstream.as_ref().filter(|account| account.upstream == upstream.id);
        let subject = named_subject.map(str::to_owned);
        let subject = subject.or_else(|| before.and_then(|account| account.subject.clone()));
        Ok(Some(UpstreamAccount { upstream: upstream.id, subject }))
    }

    async fn upstream_named(&mut self, name: &str) -> Result<Option<Upstream>, Error> {
        if let Some(known) = self.set.upstreams.get(name) {
            return Ok(known.clone());
        }
        let found = upstreams::by_name(&mut self.set.reader.tx(), name).await?;
        Ok(found.map(|stored| stored.upstream))
    }

    /// Returns the reseller of a tenant as it will be.
    async fn managed_by(&mut self, tenant: &TenantId) -> Result<Option<ResellerId>, Error> {
        if let Some(reseller) = self.set.managers.get(tenant) {
            return Ok(reseller.clone());
        }
        let found = tenants::by_id(&mut self.set.reader.tx(), tenant).await?;
        Ok(found.and_then(|tenant| tenant.reseller))
    }
}
