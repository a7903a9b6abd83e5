//! The validated settings of a provider. The server reads them from flags, environment and file.

use std::time::Duration;

use ipnet::IpNet;

use super::contact::Country;
use super::issuer::IssuerUrl;
use super::outbound::Outbound;

/// The settings of a provider.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The root issuer.
    pub issuer: IssuerUrl,
    /// The cost of a password hash.
    pub password_cost: PasswordCost,
    /// Maximum number of hashes that run concurrently; further ones wait.
    pub hash_permits: usize,
    /// Maximum number of waiting hashes; beyond it the response is 503 with Retry-After.
    pub hash_queue: usize,
    /// Lifetime of an authorization code.
    pub code_lifetime: Duration,
    /// Lifetime of an unused pushed authorization request: as long as one redirect takes (RFC 9126 §2.2).
    pub pushed_request_lifetime: Duration,
    /// Maximum number of unused pushed requests per client; beyond it the response is 429.
    pub pushed_requests_per_client: u32,
    /// Whether every client must push its requests (RFC 9126 §5).
    pub require_pushed_authorization_requests: bool,
    /// Lifetime of an ID token.
    pub id_token_lifetime: Duration,
    /// Cache lifetime of a key set (`max-age` of `/jwks`).
    pub jwks_max_age: Duration,
    /// The time a key signs before it is replaced; `None`: until an operator rotates it.
    pub key_rotation: Option<Duration>,
    /// Lifetime of an unfinished login.
    pub interaction_lifetime: Duration,
    /// Time limit for a call of the host's own directory or claim source.
    pub host_deadline: Duration,
    /// Time limit for all calls of an upstream provider in one step of a login, while the user waits.
    pub upstream_deadline: Duration,
    /// Restrictions of outbound requests.
    pub outbound: Outbound,
    /// Limits of text messages.
    pub sms: SmsLimits,
    /// Networks of proxies whose `Forwarded` or `X-Forwarded-For` is used for the client's address; it is ignored from
    /// others.
    pub trusted_proxies: Vec<IpNet>,
    /// Lifetimes of audit entries.
    pub audit: AuditRetention,
}

impl Settings {
    /// The defaults for this issuer.
    pub fn new(issuer: IssuerUrl) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            issuer,
            password_cost: PasswordCost::default(),
            hash_permits: cores,
            hash_queue: cores * 32,
            code_lifetime: Duration::from_mins(1),
            pushed_request_lifetime: Duration::from_mins(1),
            pushed_requests_per_client: 1000,
            require_pushed_authorization_requests: false,
            id_token_lifetime: Duration::from_mins(5),
            jwks_max_age: Duration::from_mins(5),
            key_rotation: Some(Duration::from_hours(90 * 24)),
            interaction_lifetime: Duration::from_mins(15),
            host_deadline: Duration::from_secs(5),
            upstream_deadline: Duration::from_secs(12),
            outbound: Outbound::default(),
            sms: SmsLimits::default(),
            trusted_proxies: Vec::new(),
            audit: AuditRetention::default(),
        }
    }
}

impl Settings {
    /// How long a new key is published before it signs: until the last client that caches the old key set must fetch it
    /// again. Doubled for nodes that learn of the key a moment later, and for clock skew.
    pub fn key_lead(&self) -> Duration {
        self.jwks_max_age * 2
    }
}

/// Limits of text messages, which cost money and attract SMS pumping fraud.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmsLimits {
    /// The countries that texts may be sent to.
    pub countries: Vec<Country>,
    /// Texts per tenant: the burst, and the number per day.
    pub tenant_day: u32,
}

impl Default for SmsLimits {
    /// No country, 1000 texts a day.
    fn default() -> Self {
        Self { countries: Vec::new(), tenant_day: 1000 }
    }
}

impl SmsLimits {
    /// Returns whether texts may be sent to this country.
    pub fn serve(&self, country: Country) -> bool {
        self.countries.contains(&country)
    }
}

/// How long audit entries are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditRetention {
    /// Entries about users, clients, sessions, credentials and logins.
    pub entries: Duration,
    /// Refusals of requests that proved nothing.
    pub refusals: Duration,
}

impl Default for AuditRetention {
    /// A year, and 30 days.
    fn default() -> Self {
        Self { entries: Duration::from_hours(365 * 24), refusals: Duration::from_hours(30 * 24) }
    }
}

/// The parameters of Argon2id. The default is OWASP's minimum: 19 MiB, two passes, one lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordCost {
    /// KiB of memory.
    pub memory_kib: u32,
    /// Passes.
    pub passes: u32,
}

impl Default for PasswordCost {
    fn default() -> Self {
        Self { memory_kib: 19_456, passes: 2 }
    }
}

impl PasswordCost {
    /// The cheapest parameters of the algorithm, for tests only.
    pub const CHEAPEST: Self = Self { memory_kib: 8, passes: 1 };
}
