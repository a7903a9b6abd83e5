//! The provider under test.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;

use super::{Application, Browser, TestClock};
use crate::crypto::random;
use crate::domain::event::Event;
use crate::domain::issuer::IssuerUrl;
use crate::domain::settings::{PasswordCost, Settings};
use crate::ext::Observer;
use crate::http::Idp;

/// A provider with a store of its own, cheap password hashes and a clock that stands still. The store goes when it goes.
pub struct TestIdp {
    idp: Idp,
    clock: TestClock,
    events: Recorder,
    router: Router,
    folder: Folder,
}

impl TestIdp {
    /// The issuer, unless the test brings settings of its own.
    pub const ISSUER: &'static str = "https://id.test";

    /// A provider with what this `apply` document (TOML) describes.
    pub async fn with(document: &str) -> Self {
        let issuer = IssuerUrl::parse(Self::ISSUER).unwrap_or_else(|error| panic!("issuer {error}"));
        Self::with_settings(Settings::new(issuer), None, document).await
    }

    /// The same with other settings, and on another database than a fresh SQLite file if one is named.
    pub async fn with_settings(mut settings: Settings, database: Option<&str>, document: &str) -> Self {
        settings.password_cost = PasswordCost::CHEAPEST;
        let folder = Folder::create();
        let file = format!("sqlite://{}", folder.0.join("vestibule.db").display());
        let clock = TestClock::default();
        let events = Recorder::default();
        let built = Idp::builder(settings)
            .database(database.unwrap_or(&file))
            .keys(folder.0.join("keys"))
            .clock(clock.clone())
            .observer(events.clone())
            .build()
            .await;
        let idp = built.unwrap_or_else(|error| panic!("{error}"));
        idp.apply(document).await.unwrap_or_else(|error| panic!("{error}"));
        let issuer = idp.settings().issuer.clone();
        let router = match issuer.path() {
            "" => idp.router(),
            path => Router::new().nest(path, idp.router()),
        };
        let router = router.merge(idp.well_known());
        Self { idp, clock, events, router, folder }
    }

    /// The provider itself.
    pub const fn idp(&self) -> &Idp {
        &self.idp
    }

    /// The clock it goes by.
    pub const fn clock(&self) -> &TestClock {
        &self.clock
    }

    /// What the observer was told.
    pub const fn events(&self) -> &Recorder {
        &self.events
    }

    /// The router, with everything at the addresses the issuer says.
    pub fn router(&self) -> Router {
        self.router.clone()
    }

    /// The folder of the store and the keys.
    pub fn folder(&self) -> &std::path::Path {
        &self.folder.0
    }

    /// A browser that has never been here.
    pub fn browser(&self) -> Browser {
        Browser::new(self.router())
    }

    /// A relying party of the root issuer without a secret; see [`Application`] for others.
    pub fn application(&self, client_id: &str, redirect_uri: &str) -> Application {
        Application::new(self, self.idp.settings().issuer.as_str(), client_id, redirect_uri)
    }
}

/// An observer that remembers.
#[derive(Clone, Debug, Default)]
pub struct Recorder(Arc<Mutex<Vec<Event>>>);

impl Recorder {
    /// What was told so far.
    pub fn all(&self) -> Vec<Event> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Observer for Recorder {
    fn observe(&self, event: &Event) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(event.clone());
    }
}

/// A folder that goes when the test does.
struct Folder(PathBuf);

impl Folder {
    fn create() -> Self {
        let path = std::env::temp_dir().join(format!("vestibule-test-{}", random::uuid()));
        std::fs::create_dir_all(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A folder left behind in the temporary directory harms nobody.
        drop(std::fs::remove_dir_all(&self.0));
    }
}
