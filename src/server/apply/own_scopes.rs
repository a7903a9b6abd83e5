//! The installation's own scopes and APIs of a document.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::ApplyError;
use super::change::Change;
use super::clients;
use super::plan::{Novelty, Planner};
use super::read::{Document, Entry};
use crate::domain::audience::Resource;
use crate::domain::claims;
use crate::domain::client::GrantType;
use crate::domain::issuer::Address;
use crate::domain::own_scopes::{AccessTokenTyp, Api, OwnScope, OwnScopes};
use crate::domain::reserved_names;
use crate::domain::scope::Scope;
use crate::domain::tenant::TenantDomain;
use crate::ext::OwnClaims;
use crate::storage::{self, issuers, own_scopes, tenants};

impl Planner<'_> {
    pub(super) async fn own_scopes(&mut self, document: &Document) -> Result<(), ApplyError> {
        self.own_scopes = own_scopes::all(&mut self.reader.tx()).await.map_err(ApplyError::failed)?;
        for entry in &document.scopes {
            self.own_scope(entry);
        }
        for entry in &document.apis {
            self.api(entry).await?;
        }
        for entry in document.scopes.iter().filter(|entry| entry.absent) {
            self.unused(entry, document).await?;
        }
        Ok(())
    }

    fn own_scope(&mut self, entry: &Entry) {
        let (name, key) = (entry.text("name").to_owned(), format!("scope {}", entry.text("name")));
        if !self.is_first(entry, &key) {
            return;
        }
        let known = self.own_scopes.scope(&name).cloned();
        if entry.absent {
            if known.is_some() {
                self.own_scopes.scopes.retain(|own| own.name != name);
                self.remove(key, Change::RemoveScope(name));
            }
            return;
        }
        if reserved_names::is_reserved_scope(&name) {
            self.mistakes.at(
                &entry.place_of("name"),
                format!("{name} is a name that the provider or a registry uses"),
            );
        }
        self.check_claims(entry);
        let novelty = if known.is_some() { Novelty::Known } else { Novelty::New };
        let base = known.clone().unwrap_or_default();
        let Some(own) = self.overlay::<OwnScope>(&entry.place, &base, &entry.members) else { return };
        if own.title.en.is_empty() {
            self.mistakes.at(&entry.place_of("title.en"), "is missing: the consent page shows it");
        }
        self.own_scopes.scopes.retain(|other| other.name != name);
        self.own_scopes.scopes.push(own.clone());
        let before = self.noted();
        if known.as_ref() != Some(&own) {
            self.change(Change::Scope(own));
        }
        self.tell(key, novelty, before);
    }

    /// A scope may deliver only claims that the provider or the host has values for.
    fn check_claims(&mut self, entry: &Entry) {
        let known = deliverable_claims(self.idp.own_claims());
        let names = entry.members.get("claims").and_then(Value::as_array).into_iter().flatten();
        for (i, name) in names.filter_map(Value::as_str).enumerate().filter(|(_, name)| !known.contains(name))
        {
            let place = entry.place_of(&format!("claims[{i}]"));
            if reserved_names::is_claim(name) {
                self.mistakes.at(&place, format!("{name} is a claim of the protocol: no scope delivers it"));
            } else {
                let all: Vec<_> = known.iter().copied().collect();
                let wrong = format!("nobody tells the claim {name}; known here: {}", all.join(", "));
                self.mistakes.at(&place, wrong);
            }
        }
    }

    async fn api(&mut self, entry: &Entry) -> Result<(), ApplyError> {
        let Ok(audience) = Resource::parse(entry.text("audience")) else { return Ok(()) };
        let key = format!("api {}", audience.as_str());
        if !self.is_first(entry, &key) {
            return Ok(());
        }
        let known = self.own_scopes.api(audience.as_str()).cloned();
        if entry.absent {
            if known.is_some() {
                self.own_scopes.apis.retain(|api| api.audience != audience);
                self.remove(key, Change::RemoveApi(audience));
            }
            return Ok(());
        }
        self.check_audience(entry, &audience).await?;
        let typ = AccessTokenTyp::NAMES.contains(&entry.text("typ")).then(|| entry.members.get("typ"));
        let typ = typ.flatten().and_then(|typ| serde_json::from_value(typ.clone()).ok());
        let api = Api {
            audience: audience.clone(),
            typ: typ.or_else(|| known.as_ref().map(|api| api.typ)).unwrap_or_default(),
            scopes: self.api_scopes(entry, known.as_ref()),
        };
        self.own_scopes.apis.retain(|other| other.audience != audience);
        self.own_scopes.apis.push(api.clone());
        let novelty = if known.is_some() { Novelty::Known } else { Novelty::New };
        let before = self.noted();
        if api.typ == AccessTokenTyp::Jwt && known.as_ref().is_none_or(|known| known.typ != api.typ) {
            let must = "must tell ID tokens from access tokens by `aud`: its tokens say JWT (docs/claims.md)";
            self.applied.notes.push(format!("{key} {must}"));
        }
        if known.as_ref() != Some(&api) {
            self.change(Change::Api(api));
        }
        self.tell(key, novelty, before);
        Ok(())
    }

    /// An ID token for a client of that name would pass for an access token for the API, and so would the provider's own
    /// tokens for one that has its name.
    async fn check_audience(&mut self, entry: &Entry, audience: &Resource) -> Result<(), ApplyError> {
        let (place, name) = (entry.place_of("audience"), audience.as_str());
        let root = self.idp.settings().issuer.clone();
        let host = url::Url::parse(name).ok().and_then(|url| url.host_str().map(str::to_owned));
        let address = host.map_or(Address::Root, Address::Host);
        let issuer = issuers::by_address(&mut self.reader.tx(), &root, &address).await;
        let of_host = issuer.map_err(ApplyError::failed)?.is_some_and(|issuer| issuer.url.as_str() == name);
        if of_host || name == root.as_str() || name.starts_with(&root.at("/t/")) {
            self.mistakes.at(&place, "is an issuer of this provider");
        }
        let client = storage::clients::exists(&mut self.reader.tx(), name).await;
        if client.map_err(ApplyError::failed)? {
            self.mistakes
                .at(&place, "is the client_id of a client: its ID tokens would pass for access tokens");
        }
        Ok(())
    }

    fn api_scopes(&mut self, entry: &Entry, known: Option<&Api>) -> Scope {
        let Some(names) = entry.members.get("scopes").and_then(Value::as_array) else {
            return known.map(|api| api.scopes.clone()).unwrap_or_default();
        };
        let names: Vec<&str> = names.iter().filter_map(Value::as_str).collect();
        for (i, name) in names.iter().enumerate().filter(|(_, name)| self.own_scopes.scope(name).is_none()) {
            let wrong = format!("{name} is not a scope of the installation's own; name it under [[scopes]]");
            self.mistakes.at(&entry.place_of(&format!("scopes[{i}]")), wrong);
        }
        names.into_iter().map(str::to_owned).collect()
    }

    /// A scope goes only when no API and no client has it any more: a client's `scope` could not be applied again.
    async fn unused(&mut self, entry: &Entry, document: &Document) -> Result<(), ApplyError> {
        let name = entry.text("name");
        if self.own_scopes.scope(name).is_some() {
            return Ok(());
        }
        let owners = self.own_scopes.apis.iter().filter(|api| api.scopes.contains(name));
        let mut holders: Vec<String> = owners.map(|api| format!("api {}", api.audience.as_str())).collect();
        let all = storage::clients::all(&mut self.reader.tx()).await.map_err(ApplyError::failed)?;
        for client in all {
            let metadata = &client.metadata;
            let registered = metadata.scope.as_ref().is_some_and(|scope| scope.contains(name));
            if !registered || metadata.may_use(GrantType::ClientCredentials) {
                continue;
            }
            let tenant = match client.issuer.tenant() {
                Some(tenant) => tenants::by_id(&mut self.reader.tx(), &tenant).await,
                None => Ok(None),
            };
            let tenant = tenant.map_err(ApplyError::failed)?.map(|tenant| tenant.domain);
            let key = clients::key_of(tenant.as_ref().map(TenantDomain::as_str), client.id.as_str());
            let names_scope = |entry: &&Entry| clients::key(entry) == key && entry.names("scope");
            if !document.clients.iter().any(|entry| names_scope(&entry)) {
                holders.push(key);
            }
        }
        self.held(entry, holders);
        Ok(())
    }
}

/// Every claim that a scope of the installation may deliver: the standard ones, the provider's, the host's.
fn deliverable_claims(own: &[OwnClaims]) -> BTreeSet<&str> {
    let mut all: BTreeSet<&str> = claims::about_users().collect();
    all.extend(own.iter().flat_map(|own| own.names.iter().map(String::as_str)));
    all
}

/// Scopes and APIs as an export writes them.
pub(super) fn stored(own: &OwnScopes) -> (Vec<Value>, Vec<Value>) {
    let scope = |own: &OwnScope| {
        let claims = Some(&own.claims).filter(|claims| !claims.is_empty());
        json!({ "name": own.name, "title": own.title, "claims": claims })
    };
    let api = |api: &Api| {
        let scopes: Vec<&str> = api.scopes.iter().collect();
        json!({
            "audience": api.audience,
            "typ": Some(api.typ).filter(|typ| *typ != AccessTokenTyp::default()),
            "scopes": Some(scopes).filter(|scopes| !scopes.is_empty()),
        })
    };
    (own.scopes.iter().map(scope).collect(), own.apis.iter().map(api).collect())
}
