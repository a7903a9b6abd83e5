//! What a login must prove: pure rules from tenant, user, client and request to needs.
//!
//! The order of [`needs`] is the order in which the pages ask. Whatever the pages do, no code is issued while a
//! need is unmet: `interaction::engine` holds facts against this list and nothing else.

use super::acr::Acr;
use super::request::AuthorizationRequest;
use super::scope::Scope;
use super::tenant::{Mfa, TenantPolicy};
use super::time::Time;

/// One thing that a login must have before it is complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Need {
    /// The user agrees to go on with the account that is signed in.
    AccountChosen,
    /// The password was proved, not before this time.
    Password {
        /// `None`: any time in the session will do.
        since: Option<Time>,
    },
    /// A second factor was proved, not before this time.
    SecondFactor {
        /// `None`: any time in the session will do.
        since: Option<Time>,
    },
    /// An authenticator must be enrolled, and proves itself by that.
    Enrolment,
    /// The recovery codes made by this login's enrolment were stored.
    RecoveryCodesStored,
    /// The announcement of the second-factor duty was seen.
    Notice {
        /// When the duty begins.
        from: Time,
    },
    /// These scopes were allowed.
    Consent(Scope),
}

/// What the rules look at, beyond the request.
#[derive(Clone, Debug)]
pub struct Circumstances<'a> {
    /// The tenant's rules.
    pub tenant: &'a TenantPolicy,
    /// Does the user hold the role `admin` now?
    pub is_admin: bool,
    /// Has the user an active authenticator?
    pub has_authenticator: bool,
    /// Does the client's registration demand consent?
    pub require_consent: bool,
    /// What the user allowed this client earlier.
    pub consented: Option<&'a Scope>,
    /// When the authorization request arrived: `prompt=login` and `max_age` count from here.
    pub requested_at: Time,
    /// Now.
    pub now: Time,
}

impl Circumstances<'_> {
    /// An administrator needs a second factor from the tenant's date on; no date means always (SEED1-1, SEED1-3).
    pub fn admin_duty(&self) -> bool {
        self.is_admin && self.tenant.admin_mfa_enforced_from.is_none_or(|from| from <= self.now)
    }

    /// Must this user prove a second factor? Whoever has one is always asked for it.
    pub fn needs_second_factor(&self, request: &AuthorizationRequest) -> bool {
        self.has_authenticator
            || self.tenant.mfa == Mfa::Required
            || self.admin_duty()
            || request.essential_acr() == Some(Acr::TwoFactors)
    }
}
