//! The provider under test.

use std::ops::Sub;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;

use super::gate::EventGate;
use super::place::TestDatabase;
use super::{Browser, TestClock};
use crate::audit;
use crate::domain::contact::Country;
use crate::domain::event::Event;
use crate::domain::issuer::IssuerUrl;
use crate::domain::settings::{PasswordCost, Settings};
use crate::ext::Observer;
use crate::notify::{Mailbox, Sent};
use crate::provider::Idp;
use crate::server::IdpBuilder;
use crate::server::apply::Syntax;
use crate::storage::audit::Placed;

/// A provider with its own store, cheap password hashes and a clock that stands still. The store is removed on drop.
///
/// The store is a new SQLite file or, if the environment variable `VESTIBULE_TEST_DATABASE` contains the `postgres://`
/// URL of a server, a new database there.
pub struct TestIdp {
    idp: Idp,
    clock: TestClock,
    events: Recorder,
    mailbox: Mailbox,
    router: Router,
    place: Arc<TestDatabase>,
    gate: EventGate,
}

impl TestIdp {
    /// The issuer, unless the test passes its own settings.
    pub const ISSUER: &'static str = "https://id.test";

    /// A provider with the content of this `apply` document (TOML).
    pub async fn with(document: &str) -> Self {
        let issuer = IssuerUrl::parse(Self::ISSUER).unwrap_or_else(|error| panic!("issuer {error}"));
        Self::with_settings(Settings::new(issuer), document).await
    }

    /// The same with other settings.
    pub async fn with_settings(settings: Settings, document: &str) -> Self {
        Self::with_parts(settings, document, |parts| parts).await
    }

    /// The same with parts of the host's own, for example a theme. An observer replaces [`TestIdp::events`], a mailer
    /// or a sender of texts replaces [`TestIdp::mailbox`].
    pub async fn with_parts(
        mut settings: Settings,
        document: &str,
        parts: impl FnOnce(IdpBuilder) -> IdpBuilder,
    ) -> Self {
        settings.password_cost = PasswordCost::CHEAPEST;
        if settings.sms.countries.is_empty() {
            settings.sms.countries =
                ["DE", "FR"].into_iter().filter_map(|name| Country::parse(name).ok()).collect();
        }
        let place = Arc::new(TestDatabase::fresh().await);
        let provider = Self::at(place, TestClock::default(), settings, parts).await;
        // No other node exists yet that would have to see it.
        let applied = provider.idp.apply_text(document, Syntax::Toml, None).await;
        applied.unwrap_or_else(|error| panic!("{error}"));
        provider.gate.open();
        provider
    }

    /// A provider that can send neither mail nor texts.
    pub async fn without_mailbox(document: &str) -> Self {
        let issuer = IssuerUrl::parse(Self::ISSUER).unwrap_or_else(|error| panic!("issuer {error}"));
        Self::with_parts(Settings::new(issuer), document, IdpBuilder::without_senders).await
    }

    /// Another node with the same store, keys and clock, and its own caches.
    pub async fn node(&self) -> Self {
        let settings = self.idp.settings().clone();
        let node = Self::at(self.place.clone(), self.clock.clone(), settings, |parts| parts).await;
        node.gate.open();
        node
    }

    async fn at(
        place: Arc<TestDatabase>,
        clock: TestClock,
        settings: Settings,
        parts: impl FnOnce(IdpBuilder) -> IdpBuilder,
    ) -> Self {
        let (events, mailbox, gate) = (Recorder::default(), Mailbox::default(), EventGate::default());
        let builder = Idp::builder(settings)
            .database(place.database())
            .keys(place.folder().join("keys"))
            .clock(clock.clone())
            .observer(events.clone())
            .mailer(mailbox.clone())
            .sms(mailbox.clone());
        let built = parts(builder).observed_through(|observer| gate.before(observer)).build().await;
        let idp = built.unwrap_or_else(|error| panic!("{error}"));
        let issuer = idp.settings().issuer.clone();
        let router = match issuer.path() {
            "" => idp.router(),
            path => Router::new().nest(path, idp.router()),
        };
        let router = router.merge(idp.well_known());
        Self { idp, clock, events, mailbox, router, place, gate }
    }

    /// The provider itself.
    pub const fn idp(&self) -> &Idp {
        &self.idp
    }

    /// The provider's clock.
    pub const fn clock(&self) -> &TestClock {
        &self.clock
    }

    /// The events so far.
    pub const fn events(&self) -> &Recorder {
        &self.events
    }

    /// Writes the refusals that wait, and returns the audit entries so far, in the order of their commits.
    pub async fn audit(&self) -> Vec<Placed> {
        self.idp.write_refusals(false).await.unwrap_or_else(|error| panic!("the audit trail: {error}"));
        let entries = audit::after(self.idp.db(), 0, i64::MAX).await;
        entries.unwrap_or_else(|error| panic!("the audit trail: {error}"))
    }

    /// Sends what is due, and returns all mail and texts sent so far, oldest first. Texts can be sent to Germany and
    /// France, unless the settings say otherwise.
    pub async fn mailbox(&self) -> Vec<Sent> {
        loop {
            let sent = self.idp.deliver_due().await;
            if sent.unwrap_or_else(|error| panic!("the outbox: {error:?}")) == 0 {
                return self.mailbox.all();
            }
        }
    }

    /// Sends the logout tokens that are due and looks up the clients of sessions that have ended. Returns how many sessions
    /// and tokens were processed.
    pub async fn send_logout_tokens(&self) -> usize {
        self.send_logout_tokens_through(&self.router).await
    }

    /// The same with another router for the addresses of the provider itself.
    pub async fn send_logout_tokens_through(&self, own: &Router) -> usize {
        let mut all = 0;
        loop {
            match self.idp.tell_clients(&|| own.clone()).await {
                Ok(0) => return all,
                Ok(done) => all += done,
                Err(error) => panic!("logout tokens: {error:?}"),
            }
        }
    }

    /// The router, with the issuer's paths.
    pub fn router(&self) -> Router {
        self.router.clone()
    }

    /// The folder of the keys and of the SQLite file.
    pub fn folder(&self) -> &Path {
        self.place.folder()
    }

    /// The statements and writes of the store so far; the cost of a request is a difference.
    pub fn cost(&self) -> Cost {
        let db = self.idp.db();
        Cost { statements: db.statements(), writes: db.writes() }
    }

    /// A browser without cookies.
    pub fn browser(&self) -> Browser {
        Browser::new(self.router())
    }
}

/// The work of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Statements, without BEGIN and COMMIT.
    pub statements: u64,
    /// Write transactions.
    pub writes: u64,
}

impl Sub for Cost {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self { statements: self.statements - before.statements, writes: self.writes - before.writes }
    }
}

/// An observer that records events.
#[derive(Clone, Debug, Default)]
pub struct Recorder(Arc<Mutex<Vec<Event>>>);

impl Recorder {
    /// The events so far.
    pub fn all(&self) -> Vec<Event> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Observer for Recorder {
    fn observe(&self, event: &Event) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(event.clone());
    }
}
