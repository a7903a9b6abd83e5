//! Handing a document to management: which changes bring the store to the document, and which mistakes prevent it.

use super::outcome::{Applied, ApplyError};
use super::read::{DocumentEntry, SetupDocument, told};
use crate::management::{
    Change, ChangeKind, ChangeSet, Error, Mistake, apis, clients, groups, own_scopes, resellers, tenants,
    upstreams, users,
};
use crate::provider::Idp;

/// Members that refer to another list of the document, which has the member's name.
const REFERENCES: [(&str, &str); 2] = [("users", "groups"), ("apis", "scopes")];

/// A plan in the making.
struct Plan<'a> {
    set: ChangeSet<'a>,
    changes: Vec<Change>,
    mistakes: Vec<String>,
    /// The keys of the things that were validated, and their places.
    places: Vec<(String, String)>,
}

/// Returns the changes that bring the store to the document. Removals come first, in reverse, so that they free names and
/// hosts.
///
/// `refused` are the mistakes of reading it. With any, nothing is changed and nothing is hashed; further mistakes of its
/// clients are returned too.
pub(super) async fn plan(
    idp: &Idp,
    document: &SetupDocument,
    refused: Vec<String>,
) -> Result<(Vec<Change>, Applied), ApplyError> {
    let set = idp.management().change_set().await.map_err(ApplyError::failed)?;
    let mut plan = Plan { set, changes: Vec::new(), mistakes: Vec::new(), places: Vec::new() };
    plan.validate_owners(document).await?;
    let is_sound = refused.is_empty();
    if is_sound {
        plan.validate_people(document).await?;
    } else {
        // Mistakes so far may follow from the members that were refused. Clients know which of theirs were.
        plan.mistakes = refused;
    }
    for entry in document.list("clients") {
        let validated = clients::validate(&mut plan.set, &entry.members).await;
        plan.take(entry, validated)?;
    }
    if is_sound {
        plan.check_removals().await?;
    }
    plan.finish()
}

/// Returns a mistake's text, with what the document could add where it refers to nothing.
fn told_with_remedy(entry: &DocumentEntry, mistake: &Mistake) -> String {
    let told = entry.told(mistake);
    let is_in = |path: &str, list: &str| path.strip_prefix(list).is_some_and(|rest| rest.starts_with('['));
    let mut unmet = REFERENCES
        .into_iter()
        .filter(|(list, member)| is_in(&entry.place, list) && is_in(&mistake.member, member));
    match unmet.next() {
        Some((_, list)) => format!("{told}; name it under [[{list}]]"),
        None => told,
    }
}

impl Plan<'_> {
    /// Validates what others refer to. Removed upstream providers come before the tenants that had them.
    async fn validate_owners(&mut self, document: &SetupDocument) -> Result<(), ApplyError> {
        for entry in document.list("resellers") {
            let validated = resellers::validate(&mut self.set, &entry.members).await;
            self.take(entry, validated)?;
        }
        self.validate_upstreams(document, true).await?;
        for entry in document.list("tenants") {
            let validated = tenants::validate(&mut self.set, &entry.members).await;
            self.take(entry, validated)?;
        }
        self.validate_upstreams(document, false).await?;
        for entry in document.list("scopes") {
            let validated = own_scopes::validate(&mut self.set, &entry.members);
            self.take(entry, validated)?;
        }
        for entry in document.list("apis") {
            let validated = apis::validate(&mut self.set, &entry.members).await;
            self.take(entry, validated)?;
        }
        Ok(())
    }

    async fn validate_upstreams(&mut self, document: &SetupDocument, absent: bool) -> Result<(), ApplyError> {
        for entry in document.list("upstreams").iter().filter(|entry| entry.members.absent() == absent) {
            let validated = upstreams::validate(&mut self.set, &entry.members).await;
            self.take(entry, validated)?;
        }
        Ok(())
    }

    async fn validate_people(&mut self, document: &SetupDocument) -> Result<(), ApplyError> {
        for entry in document.list("groups") {
            let validated = groups::validate(&mut self.set, &entry.members).await;
            self.take(entry, validated)?;
        }
        for entry in document.list("users") {
            let validated = users::validate(&mut self.set, &entry.members).await;
            self.take(entry, validated)?;
        }
        Ok(())
    }

    /// Takes the change, or its mistakes with their places.
    fn take(&mut self, entry: &DocumentEntry, validated: Result<Change, Error>) -> Result<(), ApplyError> {
        match validated {
            Ok(change) => {
                self.places.push((change.key.clone(), entry.place.clone()));
                self.changes.push(change);
            }
            Err(Error::Mistakes(mistakes)) => {
                self.mistakes.extend(mistakes.iter().map(|mistake| told_with_remedy(entry, mistake)));
            }
            Err(failed) => return Err(ApplyError::failed(failed)),
        }
        Ok(())
    }

    async fn check_removals(&mut self) -> Result<(), ApplyError> {
        for (key, mistake) in self.set.check_removals().await.map_err(ApplyError::failed)? {
            let place = self.places.iter().find(|(known, _)| *known == key).map_or(&key, |(_, place)| place);
            self.mistakes.push(told(place, &mistake));
        }
        Ok(())
    }

    fn finish(self) -> Result<(Vec<Change>, Applied), ApplyError> {
        if !self.mistakes.is_empty() {
            return Err(ApplyError::Mistakes(self.mistakes));
        }
        let mut applied = Applied::default();
        let (mut removals, mut others) = (Vec::new(), Vec::new());
        for change in self.changes {
            applied.notes.extend(change.notes.iter().cloned());
            let (keys, changes) = match change.kind {
                ChangeKind::Nothing => continue,
                ChangeKind::Created => (&mut applied.created, &mut others),
                ChangeKind::Changed => (&mut applied.changed, &mut others),
                ChangeKind::Removed => (&mut applied.removed, &mut removals),
            };
            keys.push(change.key.clone());
            changes.push(change);
        }
        removals.reverse();
        removals.extend(others);
        Ok((removals, applied))
    }
}
