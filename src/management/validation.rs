//! The validation of one thing: its mistakes, and the writes that bring the store to its members.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use url::{Host, Url};

use super::change::{Change, ChangeKind, StoreChange};
use super::change_set::ChangeSet;
use super::context::Management;
use super::error::Error;
use super::members::Members;
use super::mistakes::Mistakes;
use crate::domain::ids::TenantId;

/// Secrets of this project's documentation and tests, which everybody knows.
const SAMPLES: [&str; 4] = [
    "a secret of at least 32 characters",
    "a-secret-of-at-least-32-characters",
    "correct horse battery staple",
    "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
];
/// Top-level names that cannot be registered (RFC 2606, RFC 6761, RFC 6762).
const RESERVED: [&str; 6] = ["test", "example", "invalid", "localhost", "local", "internal"];

/// One thing being validated.
pub(super) struct Validation<'s, 'm> {
    pub(super) management: Management<'m>,
    pub(super) set: &'s mut ChangeSet<'m>,
    pub(super) mistakes: Mistakes,
    change: Change,
}

/// Whether the thing is stored already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Novelty {
    New,
    Known,
}

impl Novelty {
    pub(super) const fn of<T>(stored: Option<&T>) -> Self {
        if stored.is_some() { Self::Known } else { Self::New }
    }
}

impl<'s, 'm> Validation<'s, 'm> {
    /// Begins with members that were read without mistakes. Otherwise nothing that depends on them can be checked.
    pub(super) fn begin(set: &'s mut ChangeSet<'m>, members: &Members) -> Result<Self, Error> {
        let validation = Self::tolerant(set, members);
        if validation.mistakes.is_empty() { Ok(validation) } else { Err(validation.mistakes.into()) }
    }

    /// Begins with members of which some may have been refused; the mistakes of reading them are kept.
    pub(super) fn tolerant(set: &'s mut ChangeSet<'m>, members: &Members) -> Self {
        let mistakes = members.mistakes();
        set.has_mistakes |= !mistakes.is_empty();
        Self { management: set.management, set, mistakes, change: Change::default() }
    }

    /// Returns the change, or all mistakes.
    pub(super) fn finish(self) -> Result<Change, Error> {
        if self.mistakes.is_empty() {
            return Ok(self.change);
        }
        self.set.has_mistakes = true;
        Err(self.mistakes.into())
    }

    /// Returns whether nothing in the set is wrong so far: nothing is hashed for what is not written.
    pub(super) fn is_sound(&self) -> bool {
        self.mistakes.is_empty() && !self.set.has_mistakes
    }

    /// Records a natural key; returns `false`, with a mistake, if the set names it twice.
    pub(super) fn is_first(&mut self, members: &Members, key: &str) -> bool {
        let first = self.set.see(key);
        if !first {
            self.mistakes.at(members.path(), format!("{key} stands in the document twice"));
        }
        first
    }

    /// Returns the tenant that the members name.
    pub(super) async fn tenant_of(&mut self, members: &Members) -> Result<Option<TenantId>, Error> {
        let name = members.text("tenant");
        let found = self.set.tenant_by_domain(name).await?;
        if found.is_none() && !members.absent() {
            self.mistakes.at(&members.path_of("tenant"), format!("there is no tenant {name}"));
        }
        Ok(found)
    }

    /// Adds a write to the change.
    pub(super) fn write(&mut self, write: StoreChange) {
        self.change.writes.push(write);
    }

    /// Makes the change a removal of the thing of this key.
    pub(super) fn remove(&mut self, key: String, write: StoreChange) {
        self.set.removed.push(key.clone());
        self.change.writes.push(write);
        (self.change.key, self.change.kind) = (key, ChangeKind::Removed);
    }

    /// Records what refers to a thing that is to be removed, by the keys of both.
    pub(super) fn held(&mut self, key: &str, holders: Vec<String>) {
        self.set.holders.push((key.to_owned(), holders));
    }

    /// Names the thing. The change has a kind if there is anything to write.
    pub(super) fn describe(&mut self, key: String, novelty: Novelty) {
        self.change.kind = match novelty {
            _ if self.change.writes.is_empty() => ChangeKind::Nothing,
            Novelty::New => ChangeKind::Created,
            Novelty::Known => ChangeKind::Changed,
        };
        self.change.key = key;
    }

    /// Adds a consequence that the operator should know.
    pub(super) fn note(&mut self, note: String) {
        self.change.notes.push(note);
    }

    /// Returns `base` with the named members put over it.
    pub(super) fn overlay<T: Serialize + DeserializeOwned>(
        &mut self,
        path: &str,
        base: &T,
        named: &Map<String, Value>,
    ) -> Option<T> {
        let merged = serde_json::to_value(base).map(|mut value| {
            merge(&mut value, named);
            value
        });
        self.mistakes.keep(path, merged.and_then(serde_json::from_value))
    }

    /// Refuses the secrets of the documentation where the issuer's name is one on the Internet.
    pub(super) fn refuse_sample(&mut self, path: &str, secret: &str) {
        let known = SAMPLES.iter().any(|sample| secret.starts_with(sample));
        if known && is_public(self.management.issuer.as_str()) {
            self.mistakes.at(path, "stands in the documentation and is known to everybody");
        }
    }
}

/// Returns the first of some names, and how many more there are.
pub(super) fn listed(names: &[String]) -> String {
    const SHOWN: usize = 5;
    let shown: Vec<_> = names.iter().take(SHOWN).map(String::as_str).collect();
    match names.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// Puts named members over others, tables member by member; `null` removes a member.
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

/// Returns whether the issuer has a name that can be registered on the Internet.
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
