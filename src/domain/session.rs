//! A browser session: who is signed in at one issuer, and what was proved.

use std::collections::BTreeSet;

use super::epoch::Epoch;
use super::fact::Facts;
use super::ids::{ClientId, Hash, IssuerId, SessionId, UserId};
use super::request::AuthorizationRequest;
use super::tenant::TenantPolicy;
use super::time::Time;

/// One session. The cookie holds a secret whose hash finds the row; `id` is public, it is the claim `sid`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The value of `sid`.
    pub id: SessionId,
    /// The hash of the cookie; renewed at every change of what is proved.
    pub cookie: Hash,
    /// The issuer it is bound to.
    pub issuer: IssuerId,
    /// Who is signed in.
    pub user: UserId,
    /// Of user and tenant.
    pub epoch: Epoch,
    /// The factors proved.
    pub facts: Facts,
    /// When it began.
    pub created_at: Time,
    /// When an application was last signed in with it.
    pub used_at: Time,
    /// When it ends in any case.
    pub expires_at: Time,
    /// What the browser called itself when the factors were proved: at most [`USER_AGENT`] printable characters.
    pub user_agent: Option<String>,
    /// The network that the factors were proved from.
    pub address: Option<String>,
    /// Which of the issuer's clients were signed in with it.
    pub clients: BTreeSet<ClientId>,
}

impl Session {
    /// Whether it was used lately enough, by the tenant's rule. It ends in the very second in which it has lain idle that
    /// long. A use that lies ahead of the clock counts: a clock that is set right signs no user out.
    pub fn is_used(&self, policy: &TenantPolicy, now: Time) -> bool {
        self.used_at.plus(policy.session_idle()) > now
    }

    /// The facts that count for this request. A factor that lies ahead of the clock meets no `max_age`.
    pub fn facts_for(&self, request: &AuthorizationRequest, now: Time) -> Facts {
        let facts = self.facts.session_facts();
        if request.max_age.is_some() { facts.without_future_factors(now) } else { facts }
    }
}

/// How much of a browser's name is kept.
pub const USER_AGENT: usize = 256;
