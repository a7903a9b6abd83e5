//! Tenants: their policy, their branding and the host names that are theirs.

use serde_json::{Value, json};

use super::change::{Change, StoreChange};
use super::change_set::ChangeSet;
use super::error::Error;
use super::members::{DISABLED, Member, MemberKind, Members, STATE, Schema, member};
use super::stored;
use super::validation::{Novelty, Validation, listed};
use super::values;
use crate::crypto::random;
use crate::domain::authenticator::Method;
use crate::domain::branding::Branding;
use crate::domain::epoch::Epoch;
use crate::domain::ids::{ResellerId, TenantId};
use crate::domain::issuer::IssuerAddress;
use crate::domain::locale::Locale;
use crate::domain::tenant::{AdminActivation, Tenant, TenantDomain, TenantPolicy};
use crate::domain::trusted_browser::TrustRules;
use crate::domain::upstream::Reseller;
use crate::domain::zone::Zone;
use crate::storage::{issuers, tenants, upstream_accounts};

/// The members of a tenant.
pub(crate) const SCHEMA: Schema = Schema { members: MEMBERS, keys: &["domain"] };

const MEMBERS: &[Member] = &[
    member("domain", MemberKind::One(values::tenant_domain)),
    STATE,
    member("name", MemberKind::One(values::text)),
    member("reseller", MemberKind::One(values::optional_slug)),
    DISABLED,
    member("locale", MemberKind::One(values::locale)),
    member("time_zone", MemberKind::One(values::time_zone)),
    member("hosts", MemberKind::Each(values::host)),
    member("policy", MemberKind::Table(POLICY)),
    member("branding", MemberKind::Table(BRANDING)),
];

const POLICY: &[Member] = &[
    member("mfa", MemberKind::Word(&["optional", "required"])),
    member("admin_mfa_enforced_from", MemberKind::Moment),
    member("admin_activation", MemberKind::Word(&["inline", "mail"])),
    member("methods", MemberKind::Words(&["totp", "sms", "mail", "passkey"])),
    member("passkey_sign_in", MemberKind::One(values::flag)),
    member("mail_counts_as_2fa", MemberKind::One(values::flag)),
    member("resync", MemberKind::One(values::flag)),
    member("ask_desktop_name", MemberKind::One(values::flag)),
    member("trusted_browsers", MemberKind::Table(TRUSTED_BROWSERS)),
    member("session_idle", MemberKind::Span),
    member("session_max", MemberKind::Span),
];

const WEIGHTS: &[&str] = &["off", "minimal", "normal", "trusted"];

const TRUSTED_BROWSERS: &[Member] = &[
    member("days", MemberKind::One(values::number)),
    member("cookie", MemberKind::Word(WEIGHTS)),
    member("browser", MemberKind::Word(WEIGHTS)),
    member("system", MemberKind::Word(WEIGHTS)),
    member("languages", MemberKind::Word(WEIGHTS)),
    member("time_zone", MemberKind::Word(WEIGHTS)),
    member("screen", MemberKind::Word(WEIGHTS)),
];

const BRANDING: &[Member] =
    &[member("accent", MemberKind::One(values::accent)), member("logo", MemberKind::Logo)];

/// Validates the members of a tenant.
pub(crate) async fn validate(set: &mut ChangeSet<'_>, members: &Members) -> Result<Change, Error> {
    let mut validation = Validation::begin(set, members)?;
    validation.tenant(members).await?;
    validation.finish()
}

/// Returns the members of a tenant.
pub(crate) fn stored(tenant: &Tenant, hosts: Vec<String>, resellers: &[Reseller]) -> Result<Value, Error> {
    let reseller = resellers.iter().find(|it| Some(&it.id) == tenant.reseller.as_ref());
    let policy = stored::without_defaults(&tenant.policy)?;
    let branding = stored::without_defaults(&tenant.branding)?;
    let locale = if tenant.locale == Locale::default() { Value::Null } else { json!(tenant.locale.tag()) };
    Ok(json!({
        "domain": tenant.domain,
        "name": tenant.name,
        "reseller": reseller.map(|it| &it.name),
        "disabled": tenant.disabled.then_some(true),
        "locale": locale,
        "time_zone": Some(tenant.time_zone).filter(|&zone| zone != Zone::default()),
        "hosts": Some(hosts).filter(|hosts| !hosts.is_empty()),
        "policy": policy,
        "branding": branding,
    }))
}

impl Validation<'_, '_> {
    async fn tenant(&mut self, members: &Members) -> Result<(), Error> {
        let Ok(domain) = TenantDomain::parse(members.text("domain")) else { return Ok(()) };
        let key = format!("tenant {domain}");
        if !self.is_first(members, &key) {
            return Ok(());
        }
        let known = tenants::by_domain(&mut self.set.reader.tx(), &domain).await?;
        if members.absent() {
            self.set.know_tenant(&domain, None);
            if let Some(tenant) = known {
                self.remove(key, StoreChange::RemoveTenant(tenant.id));
            }
            return Ok(());
        }
        let novelty = Novelty::of(known.as_ref());
        let base = known.unwrap_or_else(|| new_tenant(domain));
        self.set.know_tenant(&base.domain, Some(base.id.clone()));
        let reseller =
            if members.names("reseller") { self.reseller_of(members).await? } else { base.reseller.clone() };
        self.set.managers.insert(base.id.clone(), reseller.clone());
        if let Some(left) = base.reseller.as_ref().filter(|left| reseller.as_ref() != Some(*left)) {
            self.leaves(&key, &base.id, left).await?;
        }
        let Some(tenant) = self.merged_tenant(members, &base) else { return Ok(()) };
        let tenant = Tenant { reseller, ..tenant };
        if novelty == Novelty::New || tenant != base {
            self.write(StoreChange::Tenant(tenant));
        }
        self.hosts(members, &base.id).await?;
        self.describe(key, novelty);
        Ok(())
    }

    /// Notes the users who sign in at a provider of the reseller that the tenant leaves, and ends what they signed in with.
    async fn leaves(&mut self, key: &str, tenant: &TenantId, reseller: &ResellerId) -> Result<(), Error> {
        let users = upstream_accounts::at_reseller(&mut self.set.reader.tx(), tenant, reseller).await;
        let users = users?;
        if !users.is_empty() {
            let told = "cannot sign in any more, for they do so at a provider of the reseller that it leaves";
            self.note(format!("{key}: {} {told}", listed(&users)));
        }
        self.write(StoreChange::EndAtReseller(tenant.clone(), reseller.clone()));
        Ok(())
    }

    fn merged_tenant(&mut self, members: &Members, base: &Tenant) -> Option<Tenant> {
        let table = |name| members.get(name).and_then(Value::as_object).cloned().unwrap_or_default();
        let policy: TenantPolicy =
            self.overlay(&members.path_of("policy"), &base.policy, &table("policy"))?;
        if policy.session_idle > policy.session_max {
            self.mistakes.at(&members.path_of("policy.session_idle"), "must not be longer than session_max");
        }
        if policy.admin_activation == AdminActivation::Mail && !policy.methods.contains(&Method::Totp) {
            let place = members.path_of("policy.admin_activation");
            self.mistakes.at(&place, "mail needs totp among the methods: the mail leads to no other");
        }
        if policy.trusted_browsers.days > TrustRules::LONGEST {
            let place = members.path_of("policy.trusted_browsers.days");
            self.mistakes.at(&place, "is at most 90; 0 trusts no browser");
        }
        let branding: Branding =
            self.overlay(&members.path_of("branding"), &base.branding, &table("branding"))?;
        let name = match members.get("name") {
            Some(Value::String(name)) => name.clone(),
            Some(_) => base.domain.to_string(),
            None => base.name.clone(),
        };
        Some(Tenant {
            id: base.id.clone(),
            domain: base.domain.clone(),
            name,
            reseller: base.reseller.clone(),
            disabled: members.flag("disabled").unwrap_or(base.disabled),
            epoch: base.epoch,
            locale: Locale::from_tag(members.text("locale")).unwrap_or(base.locale),
            time_zone: Zone::parse(members.text("time_zone")).unwrap_or(base.time_zone),
            policy,
            branding,
        })
    }

    async fn hosts(&mut self, members: &Members, tenant: &TenantId) -> Result<(), Error> {
        let Some(list) = members.list("hosts") else { return Ok(()) };
        let mut hosts: Vec<String> = list.iter().copied().map(str::to_owned).collect();
        hosts.sort();
        for (i, host) in list.into_iter().enumerate() {
            self.check_host(members, &format!("hosts[{i}]"), host, tenant).await?;
        }
        let known = issuers::hosts(&mut self.set.reader.tx(), tenant).await?;
        if known != hosts {
            self.write(StoreChange::Hosts(tenant.clone(), hosts));
        }
        Ok(())
    }

    async fn check_host(
        &mut self,
        members: &Members,
        member: &str,
        host: &str,
        tenant: &TenantId,
    ) -> Result<(), Error> {
        if !self.is_first(members, &format!("host {host}")) {
            return Ok(());
        }
        let root = self.management.issuer.clone();
        if root.on_host(host).is_ok_and(|url| url == root) {
            self.mistakes.at(&members.path_of(member), "is the root issuer's own host");
        }
        let address = IssuerAddress::Host(host.to_owned());
        let owner = issuers::by_address(&mut self.set.reader.tx(), &root, &address).await;
        let owner = owner?.and_then(|issuer| issuer.tenant);
        if owner.is_some_and(|owner| owner != *tenant) {
            self.mistakes.at(&members.path_of(member), "belongs to another tenant");
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
