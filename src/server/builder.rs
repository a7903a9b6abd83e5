//! Builds a provider: checks everything and reports all problems at once.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use super::sealing;
use crate::audit::RefusalQueue;
use crate::crypto::password::PasswordHasher;
use crate::crypto::seal::{MasterKey, MasterKeyError};
use crate::domain::reserved_names;
use crate::domain::scope::Scope;
use crate::domain::settings::Settings;
use crate::ext::{
    ClaimSource, Clock, Directory, LogObserver, Mailer, NoClaims, Observer, OwnClaims, SmsSender, SystemClock,
};
use crate::oidc_client::MetadataCache;
use crate::outbound::Outbound;
use crate::provider::{
    Documents, Idp, Keyring, Lanes, ProviderParts, PublishedKeys, RateLimits, RequestMetrics,
};
use crate::storage::{Catalogue, Db, GrantCache};
use crate::views::{DefaultTheme, Theme};

/// Builds an [`Idp`]. Every part has a default that works alone: a SQLite file in `data/`, a master key in `keys/`, the
/// system clock, events in the log, the plain theme, no mail and no text messages.
#[must_use = "a builder does nothing before `build`"]
pub struct IdpBuilder {
    settings: Settings,
    database: String,
    master_key: MasterKeySource,
    clock: Arc<dyn Clock>,
    directory: Option<Arc<dyn Directory>>,
    claim_source: Arc<dyn ClaimSource>,
    observer: Arc<dyn Observer>,
    theme: Arc<dyn Theme>,
    mailer: Option<Arc<dyn Mailer>>,
    sms: Option<Arc<dyn SmsSender>>,
}

/// The name of the master key's file.
pub(super) const MASTER_KEY: &str = "master.key";

/// The source of the master key.
enum MasterKeySource {
    Folder(PathBuf),
    Given(String),
}

impl MasterKeySource {
    fn load(&self) -> Result<MasterKey, MasterKeyError> {
        match self {
            Self::Folder(folder) => MasterKey::load_or_create(&folder.join(MASTER_KEY)),
            Self::Given(base64) => MasterKey::from_base64(base64),
        }
    }
}

/// A provider could not be built.
#[derive(Debug, thiserror::Error)]
#[error("{}", .problems.join("\n"))]
pub struct BuildError {
    /// One text per problem; each names the setting and what to do.
    pub problems: Vec<String>,
}

impl Idp {
    /// Starts building a provider.
    pub fn builder(settings: Settings) -> IdpBuilder {
        IdpBuilder {
            settings,
            database: "sqlite://data/vestibule.db".to_owned(),
            master_key: MasterKeySource::Folder(PathBuf::from("keys")),
            clock: Arc::new(SystemClock),
            directory: None,
            claim_source: Arc::new(NoClaims),
            observer: Arc::new(LogObserver),
            theme: Arc::new(DefaultTheme),
            mailer: None,
            sms: None,
        }
    }
}

impl IdpBuilder {
    /// The database: `sqlite://path` or `postgres://…`. It is created and migrated as needed.
    pub fn database(mut self, url: impl Into<String>) -> Self {
        self.database = url.into();
        self
    }

    /// The folder that holds the master key; it is created there on first start.
    pub fn keys(mut self, folder: impl AsRef<Path>) -> Self {
        self.master_key = MasterKeySource::Folder(folder.as_ref().to_owned());
        self
    }

    /// The master key itself: 32 bytes, base64.
    pub fn master_key(mut self, base64: impl Into<String>) -> Self {
        self.master_key = MasterKeySource::Given(base64.into());
        self
    }

    /// Sets another clock, for tests.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Sets the host's own user store.
    pub fn directory(mut self, directory: impl Directory) -> Self {
        self.directory = Some(Arc::new(directory));
        self
    }

    /// Sets the source of the host's own claims.
    pub fn claims(mut self, source: impl ClaimSource) -> Self {
        self.claim_source = Arc::new(source);
        self
    }

    /// Puts something between the provider and its observer.
    pub(crate) fn observed_through(self, put: impl FnOnce(Arc<dyn Observer>) -> Arc<dyn Observer>) -> Self {
        Self { observer: put(self.observer), ..self }
    }

    /// Sets the observer of security events.
    pub fn observer(mut self, observer: impl Observer) -> Self {
        self.observer = Arc::new(observer);
        self
    }

    /// Sets the sender of mail. Without one no mail is sent, and features that need mail are not offered.
    pub fn mailer(mut self, mailer: impl Mailer) -> Self {
        self.mailer = Some(Arc::new(mailer));
        self
    }

    /// Sets the sender of text messages. The settings must name the countries they may be sent to.
    pub fn sms(mut self, sender: impl SmsSender) -> Self {
        self.sms = Some(Arc::new(sender));
        self
    }

    /// Removes both senders.
    pub(crate) fn without_senders(self) -> Self {
        Self { mailer: None, sms: None, ..self }
    }

    /// Sets the theme of the pages.
    pub fn theme(mut self, theme: impl Theme) -> Self {
        self.theme = Arc::new(theme);
        self
    }

    /// Opens the store and the keys; reports all problems at once.
    pub async fn build(self) -> Result<Idp, BuildError> {
        let master_key = self.master_key.load();
        let db = open(&self.database).await;
        let own_claims = self.claim_source.declared();
        let mut problems = claim_problems(&own_claims);
        if self.sms.is_some() && self.settings.sms.countries.is_empty() {
            problems.push(
                "sms: name the countries that texts may be sent to, for example countries = [\"DE\"]".into(),
            );
        }
        let outbound = Outbound::new(&self.settings.outbound);
        let (master_key, db, outbound) = match (master_key, db, outbound) {
            (Ok(master_key), Ok(db), Ok(outbound)) if problems.is_empty() => (master_key, db, outbound),
            (key, db, outbound) => {
                problems.extend(key.err().map(|error| format!("keys: {error}")));
                problems.extend(db.err().map(|error| format!("database: {error}")));
                problems.extend(outbound.err().map(|error| format!("outbound.{error}")));
                return Err(BuildError { problems });
            }
        };
        let sealer = match sealing::open(&db, &master_key).await {
            Ok(sealer) => sealer,
            Err(error) => return Err(BuildError { problems: vec![format!("keys: {error}")] }),
        };
        let settings = self.settings;
        let catalogue = Catalogue::new(db.clone(), self.clock.clone(), settings.issuer.clone());
        let routes = Idp::routes().into_iter().map(|route| route.path.into_owned());
        let hasher = PasswordHasher::new(settings.password_cost, settings.hash_permits, settings.hash_queue);
        Ok(Idp::new(ProviderParts {
            grant_cache: GrantCache::new(db.clone()),
            db,
            catalogue,
            sealer: Arc::new(sealer),
            hasher,
            clock: self.clock,
            directory: self.directory,
            claim_source: self.claim_source,
            own_claims,
            observer: self.observer,
            theme: self.theme,
            outbound,
            upstreams: MetadataCache::new(),
            mailer: self.mailer,
            sms: self.sms,
            published_keys: PublishedKeys::new(),
            pairwise: OnceLock::new(),
            limits: RateLimits::new(),
            keyring: Keyring::new(),
            documents: Documents::new(),
            traffic: Arc::new(RequestMetrics::new(&settings.issuer, routes)),
            lanes: Lanes::default(),
            refusals: RefusalQueue::default(),
            settings,
        }))
    }
}

/// Opens and migrates the database.
pub(super) async fn open(url: &str) -> Result<Db, crate::storage::Error> {
    let db = Db::open(url).await?;
    db.migrate().await?;
    Ok(db)
}

/// Reports claims of the host's own that would replace one of the provider's or of the standard profile.
fn claim_problems(declared: &[OwnClaims]) -> Vec<String> {
    let mut problems = Vec::new();
    for own in declared {
        if Scope::parse(&own.scope).iter().next() != Some(own.scope.as_str())
            || reserved_names::is_withheld_scope(&own.scope)
        {
            problems.push(format!("claims: {:?} cannot be used as a scope for the host's claims", own.scope));
        }
        let taken = own.names.iter().filter(|name| name.is_empty() || reserved_names::is_claim(name));
        problems.extend(taken.map(|name| format!("claims: {name:?} is a claim of the provider")));
    }
    problems
}
