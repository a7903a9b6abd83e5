//! Settings that have been checked. Reading flags, environment and file is the server's work.

use std::time::Duration;

use ipnet::IpNet;

use super::contact::Country;
use super::issuer::IssuerUrl;
use super::outbound::Outbound;

/// What the provider needs to know to run.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The root issuer.
    pub issuer: IssuerUrl,
    /// The cost of a password hash.
    pub password_cost: PasswordCost,
    /// How many hashes may run at once; further ones wait.
    pub hash_permits: usize,
    /// How many may wait; beyond that the answer is 503 with Retry-After.
    pub hash_queue: usize,
    /// How long an authorization code lives.
    pub code_lifetime: Duration,
    /// How long a pushed authorization request waits for its browser: as long as one redirect takes (RFC 9126 §2.2).
    pub pushed_request_lifetime: Duration,
    /// How many of them may wait for each client; what is pushed beyond that is answered 429.
    pub pushed_requests_per_client: u32,
    /// Must every client push its requests (RFC 9126 §5)?
    pub require_pushed_authorization_requests: bool,
    /// How long an ID token lives.
    pub id_token_lifetime: Duration,
    /// How long clients may keep a key set (`max-age` of `/jwks`).
    pub jwks_max_age: Duration,
    /// How long a key signs before it is replaced; `None`: until somebody asks for it.
    pub key_rotation: Option<Duration>,
    /// How long a login may stay unfinished.
    pub interaction_lifetime: Duration,
    /// How long the host's own directory and claim source may take for one answer.
    pub host_deadline: Duration,
    /// How long an upstream provider may take for all that one step of a login asks of it, while the user waits.
    pub upstream_deadline: Duration,
    /// What the provider may fetch by itself.
    pub outbound: Outbound,
    /// How text messages are limited.
    pub sms: SmsLimits,
    /// The networks of proxies whose `Forwarded` or `X-Forwarded-For` tells a client's address; others' is not read.
    pub trusted_proxies: Vec<IpNet>,
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
        }
    }
}

impl Settings {
    /// How long a new key is published before it signs: until the last client that keeps the old key set must ask again.
    /// As much again is for nodes that learn of the key a moment later, and for clocks that differ.
    pub fn key_lead(&self) -> Duration {
        self.jwks_max_age * 2
    }
}

/// Who may be sent text messages, and how many: each costs money, and some people earn by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmsLimits {
    /// The countries that texts go to.
    pub countries: Vec<Country>,
    /// How many one tenant may send at once, and then again over each day.
    pub tenant_day: u32,
}

impl Default for SmsLimits {
    /// No country.
    fn default() -> Self {
        Self { countries: Vec::new(), tenant_day: 1000 }
    }
}

impl SmsLimits {
    /// May texts go there?
    pub fn serve(&self, country: Country) -> bool {
        self.countries.contains(&country)
    }
}

/// The parameters of Argon2id. The default is OWASP's floor: 19 MiB, two passes, one lane.
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
    /// As cheap as the algorithm allows: for tests only.
    pub const CHEAPEST: Self = Self { memory_kib: 8, passes: 1 };
}
