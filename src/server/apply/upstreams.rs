//! The resellers and upstream providers of a document, and which users sign in there.

use serde_json::{Map, Value};

use super::ApplyError;
use super::change::Change;
use super::plan::{Novelty, Planner, listed};
use super::read::Entry;
use crate::crypto::random;
use crate::domain::ids::{ResellerId, TenantId, UpstreamId};
use crate::domain::upstream::{
    Authentication, Owner, Reseller, Slug, Upstream, UpstreamAccount, UpstreamRules,
};
use crate::domain::user::User;
use crate::storage::upstreams::{self, Stored};
use crate::storage::{resellers, tenants};

/// What stands in the rules of an upstream provider.
const RULES: [&str; 5] =
    ["mfa_acr", "mfa_amr", "activation_url", "token_endpoint_auth_method", "id_token_signed_response_alg"];

impl Planner<'_> {
    pub(super) async fn reseller(&mut self, entry: &Entry) -> Result<(), ApplyError> {
        let Ok(name) = Slug::parse(entry.text("name")) else { return Ok(()) };
        let key = format!("reseller {name}");
        if !self.is_first(entry, &key) {
            return Ok(());
        }
        let known =
            resellers::by_name(&mut self.reader.tx(), name.as_str()).await.map_err(ApplyError::failed)?;
        if entry.absent {
            self.resellers.insert(name.to_string(), None);
            if let Some(reseller) = known {
                let holders = resellers::holders(&mut self.reader.tx(), &reseller.id).await;
                self.held(entry, holders.map_err(ApplyError::failed)?);
                self.remove(key, Change::RemoveReseller(reseller.id));
            }
            return Ok(());
        }
        let novelty = if known.is_some() { Novelty::Known } else { Novelty::New };
        let base = known.unwrap_or_else(|| Reseller {
            id: ResellerId::new(random::uuid()),
            title: name.to_string(),
            name: name.clone(),
        });
        let title = if entry.names("title") { entry.text("title").to_owned() } else { base.title.clone() };
        let reseller = Reseller { title, ..base.clone() };
        self.resellers.insert(name.to_string(), Some(reseller.id.clone()));
        let before = self.noted();
        if novelty == Novelty::New || reseller != base {
            self.change(Change::Reseller(reseller));
        }
        self.tell(key, novelty, before);
        Ok(())
    }

    /// The reseller that an entry names; `None` if it names none.
    pub(super) async fn reseller_of(&mut self, entry: &Entry) -> Result<Option<ResellerId>, ApplyError> {
        let name = entry.text("reseller");
        if name.is_empty() {
            return Ok(None);
        }
        let found = if let Some(known) = self.resellers.get(name) {
            known.clone()
        } else {
            let found = resellers::by_name(&mut self.reader.tx(), name).await;
            found.map_err(ApplyError::failed)?.map(|reseller| reseller.id)
        };
        if found.is_none() && !entry.absent {
            self.mistakes.at(&entry.place_of("reseller"), format!("there is no reseller {name}"));
        }
        Ok(found)
    }

    pub(super) async fn upstream(&mut self, entry: &Entry) -> Result<(), ApplyError> {
        let Ok(name) = Slug::parse(entry.text("name")) else { return Ok(()) };
        let key = format!("upstream {name}");
        if !self.is_first(entry, &key) {
            return Ok(());
        }
        let known =
            upstreams::by_name(&mut self.reader.tx(), name.as_str()).await.map_err(ApplyError::failed)?;
        if entry.absent {
            self.upstreams.insert(name.to_string(), None);
            if let Some(stored) = known {
                let holders = upstreams::holders(&mut self.reader.tx(), &stored.upstream.id).await;
                self.held(entry, holders.map_err(ApplyError::failed)?);
                self.remove(key, Change::RemoveUpstream(stored.upstream.id));
            }
            return Ok(());
        }
        let Some(owner) = self.owner(entry, known.as_ref()).await? else { return Ok(()) };
        let Some(upstream) = self.merged_upstream(entry, name, owner, known.as_ref()) else { return Ok(()) };
        let sealed_secret = self.upstream_secret(entry, &upstream, known.as_ref())?;
        let stored = Stored { upstream, sealed_secret };
        self.upstreams.insert(entry.text("name").to_owned(), Some(stored.upstream.clone()));
        let before = self.noted();
        let novelty = if known.is_some() { Novelty::Known } else { Novelty::New };
        if let Some(known) = &known {
            self.moves(&key, &known.upstream, &stored.upstream).await?;
        }
        if known.as_ref() != Some(&stored) {
            self.change(Change::Upstream(Box::new(stored)));
        }
        self.tell(key, novelty, before);
        Ok(())
    }

    /// Tells of the users who sign in at a provider that gets another issuer or owner.
    async fn moves(&mut self, key: &str, old: &Upstream, new: &Upstream) -> Result<(), ApplyError> {
        if old.issuer == new.issuer && old.owner == new.owner {
            return Ok(());
        }
        self.change(Change::EndAtUpstream(old.id.clone()));
        let holders = upstreams::holders(&mut self.reader.tx(), &old.id).await.map_err(ApplyError::failed)?;
        if holders.is_empty() {
            return Ok(());
        }
        let users = listed(&holders);
        if old.issuer != new.issuer {
            let told =
                "is linked by subjects of the old issuer: whoever has one of them at the new issuer signs in";
            self.applied.notes.push(format!("{key} has another issuer; {users} {told}"));
        }
        if old.owner != new.owner {
            let told = "can sign in only where the tenant is offered it by its new owner";
            self.applied.notes.push(format!("{key} has another owner; {users} {told}"));
        }
        Ok(())
    }

    async fn owner(&mut self, entry: &Entry, known: Option<&Stored>) -> Result<Option<Owner>, ApplyError> {
        match (entry.names("reseller"), entry.names("tenant")) {
            (true, false) => Ok(self.reseller_of(entry).await?.map(Owner::Reseller)),
            (false, true) => Ok(self.tenant_of(entry).await?.map(Owner::Tenant)),
            (false, false) if known.is_some() => Ok(known.map(|stored| stored.upstream.owner.clone())),
            _ => {
                self.mistakes.at(&entry.place, "must name either a reseller or a tenant");
                Ok(None)
            }
        }
    }

    fn merged_upstream(
        &mut self,
        entry: &Entry,
        name: Slug,
        owner: Owner,
        known: Option<&Stored>,
    ) -> Option<Upstream> {
        let known = known.map(|stored| &stored.upstream);
        let mut text = |member: &str, before: Option<&String>| {
            let named =
                entry.names(member).then(|| entry.text(member).to_owned()).filter(|text| !text.is_empty());
            let value = named.or_else(|| before.cloned());
            if value.is_none() {
                self.mistakes.at(&entry.place_of(member), "is missing");
            }
            value
        };
        let title = text("title", known.map(|known| &known.title));
        let issuer = text("issuer", known.map(|known| &known.issuer));
        let client_id = text("client_id", known.map(|known| &known.client_id));
        let named: Map<String, Value> = entry
            .members
            .iter()
            .filter(|(name, _)| RULES.contains(&name.as_str()))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        let rules = known.map(|known| known.rules.clone()).unwrap_or_default();
        let rules: UpstreamRules = self.overlay(&entry.place, &rules, &named)?;
        let id = known.map_or_else(|| UpstreamId::new(random::uuid()), |known| known.id.clone());
        Some(Upstream { id, name, owner, title: title?, issuer: issuer?, client_id: client_id?, rules })
    }

    /// A secret that is sealed already is not sealed again: that would look like a change.
    fn upstream_secret(
        &mut self,
        entry: &Entry,
        upstream: &Upstream,
        known: Option<&Stored>,
    ) -> Result<Option<String>, ApplyError> {
        let place = entry.place_of("client_secret");
        let before = known.and_then(|known| known.sealed_secret.clone());
        let named = entry.text("client_secret");
        if upstream.rules.token_endpoint_auth_method == Authentication::None {
            if entry.names("client_secret") {
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
        let (sealer, row) = (self.idp.sealer(), Stored::row(&upstream.id));
        if let Some(sealed) = &before
            && sealer.open(sealed, &row).is_ok_and(|secret| secret.as_slice() == named.as_bytes())
        {
            return Ok(before);
        }
        sealer.seal(named.as_bytes(), &row).map(Some).map_err(ApplyError::failed)
    }

    /// Where a user of this entry signs in; a change of that closes what opened the account here.
    pub(super) async fn user_upstream(&mut self, entry: &Entry, user: &User) -> Result<(), ApplyError> {
        let account = self.account(entry, user).await?;
        if account.is_some() {
            for member in ["password", "password_hash", "authenticators", "passkeys"] {
                let empty = entry.members.get(member).and_then(Value::as_array).is_some_and(Vec::is_empty);
                if entry.names(member) && !empty {
                    self.mistakes.at(&entry.place_of(member), "has no use: the user signs in upstream");
                }
            }
        }
        if account != user.upstream {
            self.change(Change::SignsInAt(user.id.clone(), account));
        }
        Ok(())
    }

    async fn account(&mut self, entry: &Entry, user: &User) -> Result<Option<UpstreamAccount>, ApplyError> {
        let named_subject = Some(entry.text("upstream_subject")).filter(|subject| !subject.is_empty());
        let name = match entry.members.get("upstream") {
            Some(name) => name.as_str().map(str::to_owned),
            None if entry.names("upstream_subject") => {
                self.mistakes.at(&entry.place_of("upstream_subject"), "has no use without upstream");
                return Ok(None);
            }
            None => return Ok(user.upstream.clone()),
        };
        let Some(name) = name else { return Ok(None) };
        let place = entry.place_of("upstream");
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

    async fn upstream_named(&mut self, name: &str) -> Result<Option<Upstream>, ApplyError> {
        if let Some(known) = self.upstreams.get(name) {
            return Ok(known.clone());
        }
        let found = upstreams::by_name(&mut self.reader.tx(), name).await.map_err(ApplyError::failed)?;
        Ok(found.map(|stored| stored.upstream))
    }

    /// The reseller who manages a tenant, once the document is applied.
    async fn managed_by(&mut self, tenant: &TenantId) -> Result<Option<ResellerId>, ApplyError> {
        if let Some(reseller) = self.managers.get(tenant) {
            return Ok(reseller.clone());
        }
        let found = tenants::by_id(&mut self.reader.tx(), tenant).await.map_err(ApplyError::failed)?;
        Ok(found.and_then(|tenant| tenant.reseller))
    }
}
