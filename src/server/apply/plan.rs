//! Holding a document against the store: which changes bring one to the other, and what cannot be.

use std::collections::{BTreeMap, HashSet};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use url::{Host, Url};

use super::change::Change;
use super::read::{Document, Entry, Mistakes};
use super::{Applied, ApplyError};
use crate::domain::group::GroupName;
use crate::domain::ids::{GroupId, ResellerId, TenantId};
use crate::domain::own_scopes::OwnScopes;
use crate::domain::tenant::TenantDomain;
use crate::domain::upstream::Upstream;
use crate::provider::Idp;
use crate::storage::{Reader, tenants};

/// Secrets that stand in this project's documentation and tests, and so are known to everybody.
const SAMPLES: [&str; 4] = [
    "a secret of at least 32 characters",
    "a-secret-of-at-least-32-characters",
    "correct horse battery staple",
    "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
];
/// Names that nobody on the Internet can own (RFC 2606, RFC 6761, RFC 6762).
const RESERVED: [&str; 6] = ["test", "example", "invalid", "localhost", "local", "internal"];

/// A plan in the making.
pub(super) struct Planner<'a> {
    pub(super) idp: &'a Idp,
    pub(super) reader: Reader,
    pub(super) mistakes: Mistakes,
    pub(super) applied: Applied,
    removals: Vec<Change>,
    changes: Vec<Change>,
    /// The document's tenants; `None` = it takes them away.
    tenants: BTreeMap<String, Option<TenantId>>,
    /// The document's resellers, in the same way.
    pub(super) resellers: BTreeMap<String, Option<ResellerId>>,
    /// The document's upstream providers, in the same way.
    pub(super) upstreams: BTreeMap<String, Option<Upstream>>,
    /// The document's groups, in the same way.
    pub(super) groups: BTreeMap<(TenantId, GroupName), Option<GroupId>>,
    /// The installation's own scopes and APIs as they will be.
    pub(super) own_scopes: OwnScopes,
    /// Who manages the document's tenants.
    pub(super) managers: BTreeMap<TenantId, Option<ResellerId>>,
    /// What is to be removed, by its place, and what must go before.
    holders: Vec<(String, Vec<String>)>,
    /// The natural keys met so far, to find what is named twice.
    seen: HashSet<String>,
}

/// Whether a thing is written at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Novelty {
    New,
    Known,
}

/// The changes that bring the store to the document. Removals come first, so that they free names and hosts.
///
/// `refused` are the mistakes of reading it. With any, nothing is changed and nothing is hashed; what is wrong with its
/// clients beyond that is told too.
pub(super) async fn plan(
    idp: &Idp,
    document: &Document,
    refused: Mistakes,
) -> Result<(Vec<Change>, Applied), ApplyError> {
    let mut planner = Planner {
        idp,
        reader: idp.db().read(),
        mistakes: Mistakes::default(),
        applied: Applied::default(),
        removals: Vec::new(),
        changes: Vec::new(),
        tenants: BTreeMap::new(),
        resellers: BTreeMap::new(),
        upstreams: BTreeMap::new(),
        groups: BTreeMap::new(),
        own_scopes: OwnScopes::default(),
        managers: BTreeMap::new(),
        holders: Vec::new(),
        seen: HashSet::new(),
    };
    for entry in &document.resellers {
        planner.reseller(entry).await?;
    }
    // What goes, goes the other way round: users with their tenants, then where they signed in, then who offered it.
    for entry in document.upstreams.iter().filter(|entry| entry.absent) {
        planner.upstream(entry).await?;
    }
    for entry in &document.tenants {
        planner.tenant(entry).await?;
    }
    for entry in document.upstreams.iter().filter(|entry| !entry.absent) {
        planner.upstream(entry).await?;
    }
    planner.own_scopes(document).await?;
    let is_sound = refused.0.is_empty();
    if is_sound {
        for entry in &document.groups {
            planner.group(entry).await?;
        }
        for entry in &document.users {
            planner.user(entry).await?;
        }
    } else {
        // Mistakes so far may follow from the members that were refused. Clients know which of theirs were.
        planner.mistakes = refused;
    }
    for entry in &document.clients {
        planner.client(entry).await?;
    }
    if is_sound {
        planner.check_removals();
    }
    let Planner { mistakes, applied, mut removals, changes, .. } = planner;
    if !mistakes.0.is_empty() {
        return Err(ApplyError::Mistakes(mistakes.0));
    }
    removals.reverse();
    removals.extend(changes);
    Ok((removals, applied))
}

impl Planner<'_> {
    /// Notes a thing by its natural key; `false` if the document names it twice.
    pub(super) fn is_first(&mut self, entry: &Entry, key: &str) -> bool {
        let first = self.seen.insert(key.to_owned());
        if !first {
            self.mistakes.at(&entry.place, format!("{key} stands in the document twice"));
        }
        first
    }

    /// Was a thing of this natural key noted?
    pub(super) fn has_seen(&self, key: &str) -> bool {
        self.seen.contains(key)
    }

    /// Notes what refers to a thing that is to be removed, by the keys under which things are told.
    pub(super) fn held(&mut self, entry: &Entry, holders: Vec<String>) {
        self.holders.push((entry.place.clone(), holders));
    }

    /// What something else still refers to cannot be removed, unless that goes too.
    fn check_removals(&mut self) {
        for (place, holders) in std::mem::take(&mut self.holders) {
            let removed = &self.applied.removed;
            let goes = |holder: &str| {
                let of_tenant = holder.strip_prefix("user ").or_else(|| holder.strip_prefix("client "));
                let tenant = of_tenant.and_then(|name| name.split_once('/'));
                removed.iter().any(|key| *key == *holder)
                    || tenant.is_some_and(|(tenant, _)| removed.contains(&format!("tenant {tenant}")))
            };
            let left: Vec<_> = holders.into_iter().filter(|holder| !goes(holder)).take(3).collect();
            if !left.is_empty() {
                self.mistakes.at(&place, format!("is still used by {}", left.join(", ")));
            }
        }
    }

    pub(super) fn know_tenant(&mut self, domain: &TenantDomain, id: Option<TenantId>) {
        self.tenants.insert(domain.as_str().to_owned(), id);
    }

    /// The tenant that an entry names.
    pub(super) async fn tenant_of(&mut self, entry: &Entry) -> Result<Option<TenantId>, ApplyError> {
        let name = entry.text("tenant");
        let found = self.tenant_by_domain(name).await?;
        if found.is_none() && !entry.absent {
            self.mistakes.at(&entry.place_of("tenant"), format!("there is no tenant {name}"));
        }
        Ok(found)
    }

    /// The tenant of this domain, in the document or in the store.
    pub(super) async fn tenant_by_domain(&mut self, name: &str) -> Result<Option<TenantId>, ApplyError> {
        if let Some(known) = self.tenants.get(name) {
            return Ok(known.clone());
        }
        let Ok(domain) = TenantDomain::parse(name) else { return Ok(None) };
        let found = tenants::by_domain(&mut self.reader.tx(), &domain).await.map_err(ApplyError::failed)?;
        Ok(found.map(|tenant| tenant.id))
    }

    pub(super) fn change(&mut self, change: Change) {
        self.changes.push(change);
    }

    pub(super) fn remove(&mut self, key: String, change: Change) {
        self.applied.removed.push(key);
        self.removals.push(change);
    }

    /// Tells of a thing for which changes were noted since there were `before` of them.
    pub(super) fn tell(&mut self, key: String, novelty: Novelty, before: usize) {
        match novelty {
            _ if self.changes.len() == before => {}
            Novelty::New => self.applied.created.push(key),
            Novelty::Known => self.applied.changed.push(key),
        }
    }

    pub(super) const fn noted(&self) -> usize {
        self.changes.len()
    }

    /// `base` with what an entry names put over it.
    pub(super) fn overlay<T: Serialize + DeserializeOwned>(
        &mut self,
        place: &str,
        base: &T,
        named: &Map<String, Value>,
    ) -> Option<T> {
        let merged = serde_json::to_value(base).map(|mut value| {
            merge(&mut value, named);
            value
        });
        self.mistakes.keep(place, merged.and_then(serde_json::from_value))
    }

    /// Secrets out of the documentation are fine to try things with, and an open door on the Internet.
    pub(super) fn refuse_sample(&mut self, place: &str, secret: &str) {
        let known = SAMPLES.iter().any(|sample| secret.starts_with(sample));
        if known && is_public(self.idp.settings().issuer.as_str()) {
            self.mistakes.at(place, "stands in the documentation and is known to everybody");
        }
    }
}

/// The first of some names, and how many more there are.
pub(super) fn listed(names: &[String]) -> String {
    const SHOWN: usize = 5;
    let shown: Vec<_> = names.iter().take(SHOWN).map(String::as_str).collect();
    match names.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// Puts named members over others, tables member by member; `null` takes a member away.
fn merge(base: &mut Value, named: &Map<String, Value>) {
    if !base.is_object() {
        *base = Value::Object(Map::new());
    }
    let Some(members) = base.as_object_mut() else { return };
    for (name, value) in named {
        match value {
            Value::Null => drop(members.remove(name)),
            Value::Object(table) => merge(members.entry(name.clone()).or_insert(Value::Null), table),
            other => drop(members.insert(name.clone(), other.clone())),
        }
    }
}

/// Can the issuer's name be one on the Internet?
fn is_public(issuer: &str) -> bool {
    let url = Url::parse(issuer).ok();
    match url.as_ref().and_then(Url::host) {
        Some(Host::Domain(name)) => {
            let reserved = |top: &str| RESERVED.contains(&top);
            name.rsplit_once('.').is_some_and(|(_, top)| !reserved(top))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_not_named_is_left_alone() {
        let mut base = json!({ "a": 1, "b": { "c": 2, "d": 3 }, "e": null, "f": [1] });
        let named = json!({ "b": { "c": 4 }, "a": null, "e": { "g": 5 }, "f": [] });
        merge(&mut base, named.as_object().unwrap());
        assert_eq!(base, json!({ "b": { "c": 4, "d": 3 }, "e": { "g": 5 }, "f": [] }));
    }

    #[test]
    fn knows_a_name_on_the_internet() {
        assert!(is_public("https://login.company.com"));
        for private in
            ["http://localhost:8080", "https://id.test", "https://10.0.0.1", "https://provider:9443"]
        {
            assert!(!is_public(private), "{private}");
        }
    }
}
