//! The installation's own scopes, and the claims that they deliver.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::change::{Change, StoreChange};
use super::change_set::ChangeSet;
use super::error::Error;
use super::members::{Member, MemberKind, Members, STATE, Schema, member};
use super::validation::{Novelty, Validation};
use super::values;
use crate::domain::claims;
use crate::domain::own_scopes::OwnScope;
use crate::domain::reserved_names;
use crate::ext::OwnClaims;

/// The members of one of the installation's own scopes.
pub(crate) const SCHEMA: Schema = Schema { members: MEMBERS, keys: &["name"] };

const MEMBERS: &[Member] = &[
    member("name", MemberKind::One(values::scope)),
    STATE,
    member("title", MemberKind::Table(TITLE)),
    member("claims", MemberKind::Each(values::claim)),
];

const TITLE: &[Member] = &[
    member("en", MemberKind::One(values::text)),
    member("de", MemberKind::One(values::text)),
    member("fr", MemberKind::One(values::text)),
];

/// Validates the members of one of the installation's own scopes.
pub(crate) fn validate(set: &mut ChangeSet<'_>, members: &Members) -> Result<Change, Error> {
    let mut validation = Validation::begin(set, members)?;
    validation.own_scope(members);
    validation.finish()
}

impl Validation<'_, '_> {
    fn own_scope(&mut self, members: &Members) {
        let (name, key) = (members.text("name").to_owned(), format!("scope {}", members.text("name")));
        if !self.is_first(members, &key) {
            return;
        }
        let known = self.set.own_scopes.scope(&name).cloned();
        if members.absent() {
            self.set.removed_scopes.push(name.clone());
            if known.is_some() {
                self.set.own_scopes.scopes.retain(|own| own.name != name);
                self.remove(key, StoreChange::RemoveScope(name));
            }
            return;
        }
        if reserved_names::is_reserved_scope(&name) {
            self.mistakes.at(
                &members.path_of("name"),
                format!("{name} is a name that the provider or a registry uses"),
            );
        }
        self.check_claims(members);
        let novelty = Novelty::of(known.as_ref());
        let base = known.clone().unwrap_or_default();
        let Some(own) = self.overlay::<OwnScope>(members.path(), &base, members.values()) else { return };
        if own.title.en.is_empty() {
            self.mistakes.at(&members.path_of("title.en"), "is missing: the consent page shows it");
        }
        self.set.own_scopes.scopes.retain(|other| other.name != name);
        self.set.own_scopes.scopes.push(own.clone());
        if known.as_ref() != Some(&own) {
            self.write(StoreChange::Scope(own));
        }
        self.describe(key, novelty);
    }

    /// Checks that the provider or the host has values for the claims of the scope.
    fn check_claims(&mut self, members: &Members) {
        let known = deliverable_claims(self.management.own_claims);
        let names = members.list("claims").unwrap_or_default();
        for (i, name) in names.into_iter().enumerate().filter(|(_, name)| !known.contains(name)) {
            let place = members.path_of(&format!("claims[{i}]"));
            if reserved_names::is_claim(name) {
                self.mistakes.at(&place, format!("{name} is a claim of the protocol: no scope delivers it"));
            } else {
                let all: Vec<_> = known.iter().copied().collect();
                let wrong = format!("nobody tells the claim {name}; known here: {}", all.join(", "));
                self.mistakes.at(&place, wrong);
            }
        }
    }
}

/// Returns every claim that an own scope may deliver: the standard ones, the provider's, the host's.
fn deliverable_claims(own: &[OwnClaims]) -> BTreeSet<&str> {
    let mut all: BTreeSet<&str> = claims::about_users().collect();
    all.extend(own.iter().flat_map(|own| own.names.iter().map(String::as_str)));
    all
}

/// Returns the members of an own scope.
pub(crate) fn stored(own: &OwnScope) -> Value {
    let claims = Some(&own.claims).filter(|claims| !claims.is_empty());
    json!({ "name": own.name, "title": own.title, "claims": claims })
}
