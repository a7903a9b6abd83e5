//! The provider as one shared handle. No statics: two can live in one process and share nothing.

use std::sync::Arc;

use super::documents::Documents;
use super::keyring::Keyring;
use crate::account::Account;
use crate::crypto::password::PasswordHasher;
use crate::crypto::seal::Sealer;
use crate::domain::event::Event;
use crate::domain::settings::Settings;
use crate::domain::time::Time;
use crate::ext::{Clock, Observer};
use crate::storage::{Catalogue, Db};
use crate::views::Theme;

/// A running provider. Cheap to clone; every clone is the same provider.
#[derive(Clone)]
pub struct Idp(Arc<Parts>);

/// What a provider is made of.
pub(crate) struct Parts {
    pub(crate) settings: Settings,
    pub(crate) db: Db,
    pub(crate) catalogue: Catalogue,
    pub(crate) sealer: Sealer,
    pub(crate) hasher: PasswordHasher,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) theme: Arc<dyn Theme>,
    pub(crate) keyring: Keyring,
    pub(crate) documents: Documents,
}

impl Idp {
    /// Takes the parts that the builder put together.
    pub(crate) fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// The settings it runs with.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// What the provider thinks the time is.
    pub fn now(&self) -> Time {
        self.0.clock.now()
    }

    pub(crate) fn db(&self) -> &Db {
        &self.0.db
    }

    pub(crate) fn catalogue(&self) -> &Catalogue {
        &self.0.catalogue
    }

    pub(crate) fn sealer(&self) -> &Sealer {
        &self.0.sealer
    }

    pub(crate) fn hasher(&self) -> &PasswordHasher {
        &self.0.hasher
    }

    pub(crate) fn theme(&self) -> &dyn Theme {
        self.0.theme.as_ref()
    }

    pub(crate) fn keyring(&self) -> &Keyring {
        &self.0.keyring
    }

    pub(crate) fn documents(&self) -> &Documents {
        &self.0.documents
    }

    /// Tells the observer.
    pub(crate) fn observe(&self, event: &Event) {
        self.0.observer.observe(event);
    }

    /// What can happen to users' credentials.
    pub(crate) fn account(&self) -> Account<'_> {
        Account::new(&self.0.db, &self.0.catalogue, &self.0.sealer, &self.0.hasher, self.0.clock.as_ref())
    }
}
