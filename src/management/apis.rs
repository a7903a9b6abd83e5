//! APIs that read access tokens, and the scopes that are theirs.

use serde_json::{Value, json};

use super::change::{Change, StoreChange};
use super::change_set::ChangeSet;
use super::error::Error;
use super::members::{Member, MemberKind, Members, STATE, Schema, member};
use super::validation::{Novelty, Validation};
use super::values;
use crate::domain::audience::ResourceIndicator;
use crate::domain::issuer::IssuerAddress;
use crate::domain::own_scopes::{AccessTokenTyp, Api};
use crate::domain::scope::Scope;
use crate::storage::{clients, issuers};

/// The members of an API.
pub(crate) const SCHEMA: Schema = Schema { members: MEMBERS, keys: &["audience"] };

const MEMBERS: &[Member] = &[
    member("audience", MemberKind::One(values::resource)),
    STATE,
    member("typ", MemberKind::Word(&AccessTokenTyp::NAMES)),
    member("scopes", MemberKind::Each(values::scope)),
];

/// Validates the members of an API.
pub(crate) async fn validate(set: &mut ChangeSet<'_>, members: &Members) -> Result<Change, Error> {
    let mut validation = Validation::begin(set, members)?;
    validation.api(members).await?;
    validation.finish()
}

/// Returns the members of an API.
pub(crate) fn stored(api: &Api) -> Value {
    let scopes: Vec<&str> = api.scopes.iter().collect();
    json!({
        "audience": api.audience,
        "typ": Some(api.typ).filter(|typ| *typ != AccessTokenTyp::default()),
        "scopes": Some(scopes).filter(|scopes| !scopes.is_empty()),
    })
}

impl Validation<'_, '_> {
    async fn api(&mut self, members: &Members) -> Result<(), Error> {
        let Ok(audience) = ResourceIndicator::parse(members.text("audience")) else { return Ok(()) };
        let key = format!("api {}", audience.as_str());
        if !self.is_first(members, &key) {
            return Ok(());
        }
        let known = self.set.own_scopes.api(audience.as_str()).cloned();
        if members.absent() {
            if known.is_some() {
                self.set.own_scopes.apis.retain(|api| api.audience != audience);
                self.remove(key, StoreChange::RemoveApi(audience));
            }
            return Ok(());
        }
        self.check_audience(members, &audience).await?;
        let typ = AccessTokenTyp::NAMES.contains(&members.text("typ")).then(|| members.get("typ"));
        let typ = typ.flatten().and_then(|typ| serde_json::from_value(typ.clone()).ok());
        let api = Api {
            audience: audience.clone(),
            typ: typ.or_else(|| known.as_ref().map(|api| api.typ)).unwrap_or_default(),
            scopes: self.api_scopes(members, known.as_ref()),
        };
        self.set.own_scopes.apis.retain(|other| other.audience != audience);
        self.set.own_scopes.apis.push(api.clone());
        let novelty = Novelty::of(known.as_ref());
        if api.typ == AccessTokenTyp::Jwt && known.as_ref().is_none_or(|known| known.typ != api.typ) {
            let must = "must tell ID tokens from access tokens by `aud`: its tokens say JWT (docs/claims.md)";
            self.note(format!("{key} {must}"));
        }
        if known.as_ref() != Some(&api) {
            self.write(StoreChange::Api(api));
        }
        self.describe(key, novelty);
        Ok(())
    }

    /// Refuses the `client_id` of a client, whose ID tokens the API would accept as access tokens, and the issuers of this
    /// provider.
    async fn check_audience(&mut self, members: &Members, audience: &ResourceIndicator) -> Result<(), Error> {
        let (place, name) = (members.path_of("audience"), audience.as_str());
        let root = self.management.issuer.clone();
        let host = url::Url::parse(name).ok().and_then(|url| url.host_str().map(str::to_owned));
        let address = host.map_or(IssuerAddress::Root, IssuerAddress::Host);
        let issuer = issuers::by_address(&mut self.set.reader.tx(), &root, &address).await;
        let of_host = issuer?.is_some_and(|issuer| issuer.url.as_str() == name);
        if of_host || name == root.as_str() || name.starts_with(&root.at("/t/")) {
            self.mistakes.at(&place, "is an issuer of this provider");
        }
        let client = clients::exists(&mut self.set.reader.tx(), name).await;
        if client? {
            self.mistakes
                .at(&place, "is the client_id of a client: its ID tokens would pass for access tokens");
        }
        Ok(())
    }

    fn api_scopes(&mut self, members: &Members, known: Option<&Api>) -> Scope {
        let Some(names) = members.list("scopes") else {
            return known.map(|api| api.scopes.clone()).unwrap_or_default();
        };
        for (i, name) in
            names.iter().enumerate().filter(|(_, name)| self.set.own_scopes.scope(name).is_none())
        {
            let wrong = format!("{name} is not a scope of the installation's own");
            self.mistakes.at(&members.path_of(&format!("scopes[{i}]")), wrong);
        }
        names.into_iter().map(str::to_owned).collect()
    }
}
