//! Resellers: they own upstream providers and have tenants.

use serde_json::{Value, json};

use super::change::{Change, StoreChange};
use super::change_set::ChangeSet;
use super::error::Error;
use super::members::{Member, MemberKind, Members, STATE, Schema, member};
use super::validation::{Novelty, Validation};
use super::values;
use crate::crypto::random;
use crate::domain::ids::ResellerId;
use crate::domain::upstream::{Reseller, Slug};
use crate::storage::resellers;

/// The members of a reseller.
pub(crate) const SCHEMA: Schema = Schema { members: MEMBERS, keys: &["name"] };

const MEMBERS: &[Member] =
    &[member("name", MemberKind::One(values::slug)), STATE, member("title", MemberKind::One(values::text))];

/// Validates the members of a reseller.
pub(crate) async fn validate(set: &mut ChangeSet<'_>, members: &Members) -> Result<Change, Error> {
    let mut validation = Validation::begin(set, members)?;
    validation.reseller(members).await?;
    validation.finish()
}

/// Returns the members of a reseller.
pub(crate) fn stored(reseller: &Reseller) -> Value {
    json!({ "name": reseller.name, "title": reseller.title })
}

impl Validation<'_, '_> {
    async fn reseller(&mut self, members: &Members) -> Result<(), Error> {
        let Ok(name) = Slug::parse(members.text("name")) else { return Ok(()) };
        let key = format!("reseller {name}");
        if !self.is_first(members, &key) {
            return Ok(());
        }
        let known = resellers::by_name(&mut self.set.reader.tx(), name.as_str()).await?;
        if members.absent() {
            self.set.resellers.insert(name.to_string(), None);
            if let Some(reseller) = known {
                let holders = resellers::holders(&mut self.set.reader.tx(), &reseller.id).await;
                self.held(&key, holders?);
                self.remove(key, StoreChange::RemoveReseller(reseller.id));
            }
            return Ok(());
        }
        let novelty = Novelty::of(known.as_ref());
        let base = known.unwrap_or_else(|| Reseller {
            id: ResellerId::new(random::uuid()),
            title: name.to_string(),
            name: name.clone(),
        });
        let title =
            if members.names("title") { members.text("title").to_owned() } else { base.title.clone() };
        let reseller = Reseller { title, ..base.clone() };
        self.set.resellers.insert(name.to_string(), Some(reseller.id.clone()));
        if novelty == Novelty::New || reseller != base {
            self.write(StoreChange::Reseller(reseller));
        }
        self.describe(key, novelty);
        Ok(())
    }

    /// Returns the reseller that the members name, if any.
    pub(super) async fn reseller_of(&mut self, members: &Members) -> Result<Option<ResellerId>, Error> {
        let name = members.text("reseller");
        if name.is_empty() {
            return Ok(None);
        }
        let found = if let Some(known) = self.set.resellers.get(name) {
            known.clone()
        } else {
            let found = resellers::by_name(&mut self.set.reader.tx(), name).await;
            found?.map(|reseller| reseller.id)
        };
        if found.is_none() && !members.absent() {
            self.mistakes.at(&members.path_of("reseller"), format!("there is no reseller {name}"));
        }
        Ok(found)
    }
}
