//! A browser session: the user signed in at one issuer, and the proved factors.

use std::collections::BTreeSet;

use super::epoch::Epoch;
use super::fact::Facts;
use super::ids::{ClientId, Hash, IssuerId, SessionId, UserId};
use super::request::AuthorizationRequest;
use super::tenant::TenantPolicy;
use super::time::Time;

/// A session. It is found by the hash of the secret in the cookie; `id` is public, as the claim `sid`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The value of `sid`.
    pub id: SessionId,
    /// The hash of the cookie's secret, which is renewed whenever the proved factors change.
    pub cookie: Hash,
    /// The issuer it is bound to.
    pub issuer: IssuerId,
    /// The signed-in user.
    pub user: UserId,
    /// The sum of the epochs of user and tenant.
    pub epoch: Epoch,
    /// The proved factors.
    pub facts: Facts,
    /// The time of its creation.
    pub created_at: Time,
    /// The time an application was last signed in with it.
    pub used_at: Time,
    /// The end of its maximum lifetime.
    pub expires_at: Time,
    /// The `User-Agent` at the time the factors were proved: at most [`USER_AGENT`] printable characters.
    pub user_agent: Option<String>,
    /// The network at the time the factors were proved.
    pub address: Option<String>,
    /// The issuer's clients that were signed in with it.
    pub clients: BTreeSet<ClientId>,
}

impl Session {
    /// Returns whether it was used recently enough by the tenant's idle limit; it ends in the second in which the limit
    /// is reached. A use in the future of the clock counts, so that correcting the clock signs no user out.
    pub fn is_used(&self, policy: &TenantPolicy, now: Time) -> bool {
        self.used_at.plus(policy.session_idle()) > now
    }

    /// The facts that count for this request. A factor in the future of the clock meets no `max_age`.
    pub fn facts_for(&self, request: &AuthorizationRequest, now: Time) -> Facts {
        let facts = self.facts.session_facts();
        if request.max_age.is_some() { facts.without_future_factors(now) } else { facts }
    }
}

/// Maximum stored length of a `User-Agent`.
pub const USER_AGENT: usize = 256;
