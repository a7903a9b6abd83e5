//! The passwords of a document's users: in clear, or as a hash that this or another system computed.

use super::ApplyError;
use super::change::Change;
use super::plan::Planner;
use super::read::Entry;
use crate::account::passwords::stored_password;
use crate::crypto::password::Password;
use crate::domain::ids::UserId;
use crate::storage::users::Credentials;

impl Planner<'_> {
    pub(super) async fn password(
        &mut self,
        entry: &Entry,
        user: &UserId,
        known: Option<&Credentials>,
    ) -> Result<(), ApplyError> {
        if entry.names("password_hash") {
            if entry.names("password") {
                self.mistakes.at(&entry.place_of("password"), "cannot stand beside password_hash");
            }
            self.password_hash(entry, user, known).await
        } else if entry.names("password") {
            self.clear_password(entry, user, known).await
        } else {
            Ok(())
        }
    }

    /// A hash that was imported before is not imported again: the user's may have been renewed since.
    async fn password_hash(
        &mut self,
        entry: &Entry,
        user: &UserId,
        known: Option<&Credentials>,
    ) -> Result<(), ApplyError> {
        let (place, text) = (entry.place_of("password_hash"), entry.text("password_hash"));
        let source = self.idp.sealer().keyed_hash("password-source", text);
        let is_known = |known: &Credentials| {
            known.password_hash.as_deref() == Some(text) || known.password_source.as_ref() == Some(&source)
        };
        // What is stored already is no import: limits may have been others when it was taken.
        if known.is_some_and(is_known) {
            return Ok(());
        }
        let read = self.idp.hasher().read_import(text);
        let Some(import) = self.mistakes.keep(&place, read) else { return Ok(()) };
        if !self.mistakes.0.is_empty() {
            return Ok(());
        }
        let stored = self.idp.hasher().store_import(import).await.map_err(ApplyError::failed)?;
        self.change(Change::ImportedPassword(user.clone(), stored, source));
        Ok(())
    }

    /// A password that verifies already is not hashed again: a new salt would look like a change.
    async fn clear_password(
        &mut self,
        entry: &Entry,
        user: &UserId,
        known: Option<&Credentials>,
    ) -> Result<(), ApplyError> {
        let place = entry.place_of("password");
        self.refuse_sample(&place, entry.text("password"));
        let normalised = Password::normalise(entry.text("password"));
        let Some(password) = self.mistakes.keep(&place, normalised) else { return Ok(()) };
        if !self.mistakes.0.is_empty() {
            return Ok(());
        }
        let hasher = self.idp.hasher();
        let known = known.and_then(|known| Some((known.password_hash.as_deref()?, stored_password(known)?)));
        if let Some((old, against)) = known {
            let verdict = hasher.verify(password.clone(), against).await.map_err(ApplyError::failed)?;
            if verdict.matches {
                if verdict.outdated {
                    let hash = hasher.hash(password).await.map_err(ApplyError::failed)?;
                    self.change(Change::Rehash(user.clone(), old.to_owned(), hash));
                }
                return Ok(());
            }
        }
        let hash = hasher.hash(password).await.map_err(ApplyError::failed)?;
        self.change(Change::Password(user.clone(), hash));
        Ok(())
    }
}
