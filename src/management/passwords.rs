//! Passwords of users: in clear, or as a hash that this or another system computed.

use super::change::StoreChange;
use super::error::Error;
use super::members::Members;
use super::validation::Validation;
use crate::account::passwords::stored_password;
use crate::crypto::password::Password;
use crate::domain::ids::UserId;
use crate::storage::users::UserCredentials;

impl Validation<'_, '_> {
    pub(super) async fn password(
        &mut self,
        members: &Members,
        user: &UserId,
        known: Option<&UserCredentials>,
    ) -> Result<(), Error> {
        if members.names("password_hash") {
            if members.names("password") {
                self.mistakes.at(&members.path_of("password"), "cannot stand beside password_hash");
            }
            self.password_hash(members, user, known).await
        } else if members.names("password") {
            self.clear_password(members, user, known).await
        } else {
            Ok(())
        }
    }

    /// Imports a hash. One that was imported before is left alone: the user's may have been renewed since.
    async fn password_hash(
        &mut self,
        members: &Members,
        user: &UserId,
        known: Option<&UserCredentials>,
    ) -> Result<(), Error> {
        let (place, text) = (members.path_of("password_hash"), members.text("password_hash"));
        let source = self.management.sealer.keyed_hash("password-source", text);
        let is_known = |known: &UserCredentials| {
            known.password_hash.as_deref() == Some(text) || known.password_source.as_ref() == Some(&source)
        };
        // A stored hash is not checked again: the limits may have been different when it was imported.
        if known.is_some_and(is_known) {
            return Ok(());
        }
        let read = self.management.hasher.read_import(text);
        let Some(import) = self.mistakes.keep(&place, read) else { return Ok(()) };
        if !self.is_sound() {
            return Ok(());
        }
        let stored = self.management.hasher.store_import(import).await?;
        self.write(StoreChange::ImportedPassword(user.clone(), stored, source));
        Ok(())
    }

    /// Hashes a password unless it verifies already: a new salt would look like a change.
    async fn clear_password(
        &mut self,
        members: &Members,
        user: &UserId,
        known: Option<&UserCredentials>,
    ) -> Result<(), Error> {
        let place = members.path_of("password");
        self.refuse_sample(&place, members.text("password"));
        let normalised = Password::normalise(members.text("password"));
        let Some(password) = self.mistakes.keep(&place, normalised) else { return Ok(()) };
        if !self.is_sound() {
            return Ok(());
        }
        let hasher = self.management.hasher;
        let known = known.and_then(|known| Some((known.password_hash.as_deref()?, stored_password(known)?)));
        if let Some((old, against)) = known {
            let verdict = hasher.verify(password.clone(), against).await?;
            if verdict.matches {
                if verdict.outdated {
                    let hash = hasher.hash(password).await?;
                    self.write(StoreChange::Rehash(user.clone(), old.to_owned(), hash));
                }
                return Ok(());
            }
        }
        let hash = hasher.hash(password).await?;
        self.write(StoreChange::Password(user.clone(), hash));
        Ok(())
    }
}
