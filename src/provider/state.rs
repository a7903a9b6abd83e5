//! The provider as one shared handle. There are no statics: two providers in one process share nothing.

use std::sync::{Arc, OnceLock};

use super::documents::Documents;
use super::failure::Internal;
use super::keyring::Keyring;
use super::lanes::Lanes;
use super::limits::RateLimits;
use super::metrics::RequestMetrics;
use super::published_keys::PublishedKeys;
use crate::account::Account;
use crate::account::channels::Channels;
use crate::account::host::Host;
use crate::audit::{Entry, RefusalQueue};
use crate::crypto::pairwise::PairwiseKey;
use crate::crypto::password::PasswordHasher;
use crate::crypto::seal::Sealer;
use crate::domain::settings::Settings;
use crate::domain::time::Time;
use crate::ext::{ClaimSource, Clock, Directory, Mailer, Observer, OwnClaims, SmsSender};
use crate::management::{Management, Scopes};
use crate::oidc_client::MetadataCache;
use crate::outbound::Outbound;
use crate::storage::{Catalogue, Db, GrantCache};
use crate::views::Theme;

/// A running provider. Clones are cheap and share everything.
#[derive(Clone)]
pub struct Idp {
    parts: Arc<ProviderParts>,
    /// The read-only store of a request that must not change anything.
    reading: Option<Db>,
}

/// The parts that a provider is made of.
pub(crate) struct ProviderParts {
    pub(crate) settings: Settings,
    pub(crate) db: Db,
    pub(crate) catalogue: Catalogue,
    pub(crate) grant_cache: GrantCache,
    pub(crate) sealer: Arc<Sealer>,
    pub(crate) hasher: PasswordHasher,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) directory: Option<Arc<dyn Directory>>,
    pub(crate) claim_source: Arc<dyn ClaimSource>,
    /// The validated declarations of the claim source.
    pub(crate) own_claims: Vec<OwnClaims>,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) mailer: Option<Arc<dyn Mailer>>,
    pub(crate) sms: Option<Arc<dyn SmsSender>>,
    pub(crate) theme: Arc<dyn Theme>,
    pub(crate) outbound: Outbound,
    pub(crate) published_keys: PublishedKeys,
    pub(crate) pairwise: OnceLock<PairwiseKey>,
    pub(crate) limits: RateLimits,
    pub(crate) upstreams: MetadataCache,
    pub(crate) keyring: Keyring,
    pub(crate) documents: Documents,
    pub(crate) traffic: Arc<RequestMetrics>,
    pub(crate) lanes: Lanes,
    pub(crate) refusals: RefusalQueue,
}

impl Idp {
    /// Wraps the parts that the builder has created.
    pub(crate) fn new(parts: ProviderParts) -> Self {
        let (traffic, observer) = (Arc::clone(&parts.traffic), Arc::clone(&parts.observer));
        parts.db.listen(move |entry| {
            traffic.note(&entry.event);
            observer.observe(&entry.event);
        });
        Self { parts: Arc::new(parts), reading: None }
    }

    /// The same provider with a read-only store, for a request that must not change anything.
    pub(crate) fn reading(&self) -> Self {
        Self { reading: Some(self.parts.db.reading()), ..self.clone() }
    }

    /// The settings of this provider.
    pub fn settings(&self) -> &Settings {
        &self.parts.settings
    }

    /// The current time by the provider's clock.
    pub fn now(&self) -> Time {
        self.parts.clock.now()
    }

    /// The current time in milliseconds since 1970, for finer measurements.
    pub(crate) fn unix_millis(&self) -> i64 {
        self.parts.clock.unix_millis()
    }

    pub(crate) fn parts(&self) -> &ProviderParts {
        &self.parts
    }

    pub(crate) fn db(&self) -> &Db {
        self.reading.as_ref().unwrap_or(&self.parts.db)
    }

    pub(crate) fn catalogue(&self) -> &Catalogue {
        &self.parts.catalogue
    }

    /// Runs the change, and returns once every node has seen what it changed in the catalogue.
    pub(crate) async fn seen_by_every_node<T>(&self, change: impl Future<Output = T>) -> T {
        let before = self.catalogue().own_changes();
        let outcome = change.await;
        self.catalogue().seen_by_every_node(before).await;
        outcome
    }

    /// The cached grants behind access tokens.
    pub(crate) fn grant_cache(&self) -> &GrantCache {
        &self.parts.grant_cache
    }

    pub(crate) fn sealer(&self) -> &Sealer {
        &self.parts.sealer
    }

    pub(crate) fn hasher(&self) -> &PasswordHasher {
        &self.parts.hasher
    }

    pub(crate) fn theme(&self) -> &dyn Theme {
        self.parts.theme.as_ref()
    }

    /// The HTTP client for everything that the provider fetches.
    pub(crate) fn outbound(&self) -> &Outbound {
        &self.parts.outbound
    }

    /// The rate limiters of this node.
    pub(crate) fn limits(&self) -> &RateLimits {
        &self.parts.limits
    }

    /// The cached metadata of upstream providers.
    pub(crate) fn upstreams(&self) -> &MetadataCache {
        &self.parts.upstreams
    }

    pub(crate) fn keyring(&self) -> &Keyring {
        &self.parts.keyring
    }

    pub(crate) fn documents(&self) -> &Documents {
        &self.parts.documents
    }

    /// The source of the host's own claims.
    pub(crate) fn claim_source(&self) -> &dyn ClaimSource {
        self.parts.claim_source.as_ref()
    }

    /// The declarations of the host's own claims, by scope.
    pub(crate) fn own_claims(&self) -> &[OwnClaims] {
        &self.parts.own_claims
    }

    /// All scopes of the provider.
    pub(crate) async fn scopes(&self) -> Result<Scopes<'_>, Internal> {
        Ok(Scopes::new(&self.parts.own_claims, self.catalogue().own_scopes().await?))
    }

    /// The counts of requests and events.
    pub(crate) fn traffic(&self) -> &RequestMetrics {
        &self.parts.traffic
    }

    /// Counts a refusal of a request that proved nothing, tells the observer and queues its audit entry. What is refused
    /// together with a write is recorded there instead.
    pub(crate) fn refuse(&self, refusal: Entry) {
        self.parts.traffic.note(&refusal.event);
        self.parts.observer.observe(&refusal.event);
        self.parts.refusals.push(refusal);
    }

    /// Writes the refusals that wait, when the provider stops with those left out too.
    pub(crate) async fn write_refusals(&self, last: bool) -> Result<(), crate::storage::Error> {
        self.parts.refusals.write(&self.parts.db, self.now(), last).await
    }

    /// Validation and changes of tenants, users, clients and the rest.
    pub(crate) fn management(&self) -> Management<'_> {
        let ProviderParts { settings, catalogue, own_claims, sealer, hasher, outbound, clock, .. } =
            self.parts.as_ref();
        Management {
            db: self.db(),
            catalogue,
            account: self.account(),
            issuer: &settings.issuer,
            own_claims,
            sealer,
            hasher,
            outbound,
            clock: clock.as_ref(),
        }
    }

    /// Operations on users' credentials.
    pub(crate) fn account(&self) -> Account<'_> {
        let ProviderParts { settings, catalogue, sealer, hasher, clock, directory, mailer, sms, .. } =
            self.parts.as_ref();
        let host = directory.as_deref().map(|directory| Host::new(directory, settings.host_deadline));
        let ways = Channels { mail: mailer.is_some(), sms: sms.is_some().then_some(&settings.sms) };
        Account::new(self.db(), catalogue, sealer, hasher, clock.as_ref(), host, ways)
    }
}
