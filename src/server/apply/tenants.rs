//! The tenants of a document.

use serde_json::Value;

use super::ApplyError;
use super::change::Change;
use super::plan::{Novelty, Planner, listed};
use super::read::Entry;
use crate::crypto::random;
use crate::domain::authenticator::Method;
use crate::domain::branding::Branding;
use crate::domain::epoch::Epoch;
use crate::domain::ids::{ResellerId, TenantId};
use crate::domain::issuer::Address;
use crate::domain::locale::Locale;
use crate::domain::tenant::{AdminActivation, Tenant, TenantDomain, TenantPolicy};
use crate::domain::trusted_browser::TrustRules;
use crate::domain::zone::Zone;
use crate::storage::{issuers, tenants, upstream_accounts};

impl Planner<'_> {
    pub(super) async fn tenant(&mut self, entry: &Entry) -> Result<(), ApplyError> {
        let Ok(domain) = TenantDomain::parse(entry.text("domain")) else { return Ok(()) };
        let key = format!("tenant {domain}");
        if !self.is_first(entry, &key) {
            return Ok(());
        }
        let known = tenants::by_domain(&mut self.reader.tx(), &domain).await.map_err(ApplyError::failed)?;
        if entry.absent {
            self.know_tenant(&domain, None);
            if let Some(tenant) = known {
                self.remove(key, Change::RemoveTenant(tenant.id));
            }
            return Ok(());
        }
        let novelty = if known.is_some() { Novelty::Known } else { Novelty::New };
        let base = known.unwrap_or_else(|| new_tenant(domain));
        self.know_tenant(&base.domain, Some(base.id.clone()));
        let before = self.noted();
        let reseller =
            if entry.names("reseller") { self.reseller_of(entry).await? } else { base.reseller.clone() };
        self.managers.insert(base.id.clone(), reseller.clone());
        if let Some(left) = base.reseller.as_ref().filter(|left| reseller.as_ref() != Some(*left)) {
            self.leaves(&key, &base.id, left).await?;
        }
        let Some(tenant) = self.merged_tenant(entry, &base) else { return Ok(()) };
        let tenant = Tenant { reseller, ..tenant };
        if novelty == Novelty::New || tenant != base {
            self.change(Change::Tenant(tenant));
        }
        self.hosts(entry, &base.id).await?;
        self.tell(key, novelty, before);
        Ok(())
    }

    /// Tells of the users who sign in at a provider of the reseller that their tenant leaves, and ends what they have.
    async fn leaves(
        &mut self,
        key: &str,
        tenant: &TenantId,
        reseller: &ResellerId,
    ) -> Result<(), ApplyError> {
        let users = upstream_accounts::at_reseller(&mut self.reader.tx(), tenant, reseller).await;
        let users = users.map_err(ApplyError::failed)?;
        if !users.is_empty() {
            let told = "cannot sign in any more, for they do so at a provider of the reseller that it leaves";
            self.applied.notes.push(format!("{key}: {} {told}", listed(&users)));
        }
        self.change(Change::EndAtReseller(tenant.clone(), reseller.clone()));
        Ok(())
    }

    fn merged_tenant(&mut self, entry: &Entry, base: &Tenant) -> Option<Tenant> {
        let table = |name| entry.members.get(name).and_then(Value::as_object).cloned().unwrap_or_default();
        let policy: TenantPolicy = self.overlay(&entry.place_of("policy"), &base.policy, &table("policy"))?;
        if policy.session_idle > policy.session_max {
            self.mistakes.at(&entry.place_of("policy.session_idle"), "must not be longer than session_max");
        }
        if policy.admin_activation == AdminActivation::Mail && !policy.methods.contains(&Method::Totp) {
            let place = entry.place_of("policy.admin_activation");
            self.mistakes.at(&place, "mail needs totp among the methods: the mail leads to no other");
        }
        if policy.trusted_browsers.days > TrustRules::LONGEST {
            let place = entry.place_of("policy.trusted_browsers.days");
            self.mistakes.at(&place, "is at most 90; 0 trusts no browser");
        }
        let branding: Branding =
            self.overlay(&entry.place_of("branding"), &base.branding, &table("branding"))?;
        let name = match entry.members.get("name") {
            Some(Value::String(name)) => name.clone(),
            Some(_) => base.domain.to_string(),
            None => base.name.clone(),
        };
        Some(Tenant {
            id: base.id.clone(),
            domain: base.domain.clone(),
            name,
            reseller: base.reseller.clone(),
            disabled: entry.members.get("disabled").and_then(Value::as_bool).unwrap_or(base.disabled),
            epoch: base.epoch,
            locale: Locale::from_tag(entry.text("locale")).unwrap_or(base.locale),
            time_zone: Zone::parse(entry.text("time_zone")).unwrap_or(base.time_zone),
            policy,
            branding,
        })
    }

    async fn hosts(&mut self, entry: &Entry, tenant: &TenantId) -> Result<(), ApplyError> {
        let Some(list) = entry.members.get("hosts").and_then(Value::as_array) else { return Ok(()) };
        let mut hosts: Vec<String> = list.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        hosts.sort();
        for (i, host) in list.iter().filter_map(Value::as_str).enumerate() {
            self.check_host(entry, &format!("hosts[{i}]"), host, tenant).await?;
        }
        let known = issuers::hosts(&mut self.reader.tx(), tenant).await.map_err(ApplyError::failed)?;
        if known != hosts {
            self.change(Change::Hosts(tenant.clone(), hosts));
        }
        Ok(())
    }

    async fn check_host(
        &mut self,
        entry: &Entry,
        member: &str,
        host: &str,
        tenant: &TenantId,
    ) -> Result<(), ApplyError> {
        if !self.is_first(entry, &format!("host {host}")) {
            return Ok(());
        }
        let root = self.idp.settings().issuer.clone();
        if root.on_host(host).is_ok_and(|url| url == root) {
            self.mistakes.at(&entry.place_of(member), "is the root issuer's own host");
        }
        let address = Address::Host(host.to_owned());
        let owner = issuers::by_address(&mut self.reader.tx(), &root, &address).await;
        let owner = owner.map_err(ApplyError::failed)?.and_then(|issuer| issuer.tenant);
        if owner.is_some_and(|owner| owner != *tenant) {
            self.mistakes.at(&entry.place_of(member), "belongs to another tenant");
        }
        Ok(())
    }
}

fn new_tenant(domain: TenantDomain) -> Tenant {
    Tenant {
        id: TenantId::new(random::uuid()),
        name: domain.to_string(),
        domain,
        reseller: None,
        disabled: false,
        epoch: Epoch::default(),
        locale: Locale::default(),
        time_zone: Zone::default(),
        policy: TenantPolicy::default(),
        branding: Branding::default(),
    }
}
