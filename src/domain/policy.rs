//! What a login must prove: pure rules from tenant, user, client and request to needs.
//!
//! The order of [`needs`] is the order in which the pages ask. Whatever the pages do, no code is issued while a
//! need is unmet: `interaction::engine` holds facts against this list and nothing else.

use super::acr::Acr;
use super::error::ErrorCode;
use super::fact::Facts;
use super::ids::{AuthenticatorId, UserId};
use super::request::AuthorizationRequest;
use super::scope::Scope;
use super::tenant::{Mfa, TenantPolicy};
use super::time::Time;

/// One thing that a login must have before it is complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Need {
    /// The user agrees to go on with this account, which is signed in.
    AccountChosen(UserId),
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
    /// An authenticator must be enrolled. No fact meets this need: it is gone when there is one.
    Enrolment(EnrolmentReason),
    /// The recovery codes made by this login's enrolment must be stored. It is gone when they are erased.
    RecoveryCodesStored,
    /// The announcement of the second-factor duty was seen.
    Notice {
        /// When the duty begins.
        from: Time,
    },
    /// These scopes were allowed.
    Consent(Scope),
}

/// Why an authenticator must be enrolled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EnrolmentReason {
    /// The last one was replaced by a recovery code.
    Recovery,
    /// An administrator is blocked until it is done (SEED1-3).
    AdminDuty,
    /// The tenant wants it of everybody.
    TenantRule,
    /// The client will not do with less.
    ClientWish,
    /// The user asked for it.
    OwnWish,
}

/// What the rules look at, beyond the request.
#[derive(Clone, Debug)]
pub struct Circumstances<'a> {
    /// The tenant's rules.
    pub tenant: &'a TenantPolicy,
    /// Whose login it is.
    pub user: &'a UserId,
    /// Is this the account of the session, with nothing proved in this login yet?
    pub from_session: bool,
    /// Does the user hold the role `admin` now?
    pub is_admin: bool,
    /// The user's active authenticator.
    pub authenticator: Option<&'a AuthenticatorId>,
    /// What is proved and answered so far.
    pub facts: &'a Facts,
    /// Are there recovery codes that the user has not stored?
    pub codes_to_store: bool,
    /// Whether the client's registration demands consent.
    pub consent: ConsentRule<'a>,
    /// When the authorization request arrived: `prompt=login` and `max_age` count from here.
    pub requested_at: Time,
    /// Now.
    pub now: Time,
}

/// Whether the user is asked before the client gets anything.
#[derive(Clone, Copy, Debug)]
pub enum ConsentRule<'a> {
    /// The client's registration does not demand it.
    Unasked,
    /// It does; this was allowed earlier.
    Asked(Option<&'a Scope>),
}

/// What this login needs, in the order of the pages; or the error that no page can mend.
///
/// Before anybody is known (`None`) the password is all that can be asked for.
pub fn needs(
    request: &AuthorizationRequest,
    who: Option<&Circumstances<'_>>,
) -> Result<Vec<Need>, ErrorCode> {
    if request.demands_unknown_acr() {
        return Err(ErrorCode::UnmetAuthenticationRequirements);
    }
    let Some(who) = who else { return Ok(vec![Need::Password { since: None }]) };
    if request.expected_sub.as_deref().is_some_and(|sub| sub != who.user.as_str()) {
        return Err(ErrorCode::LoginRequired);
    }
    // `max_age=0` asks for everything again: that is decided by whose facts count, not by a time (see `is_fresh`).
    let age = request.max_age.filter(|_| !request.is_fresh());
    let since = age.map(|seconds| who.requested_at.minus(std::time::Duration::from_secs(seconds)));
    let mut needs = Vec::new();
    if request.prompt.select_account && who.from_session {
        needs.push(Need::AccountChosen(who.user.clone()));
    }
    needs.push(Need::Password { since });
    if who.authenticator.is_some() {
        needs.push(Need::SecondFactor { since });
    }
    if let Some(reason) = who.enrolment(request) {
        if who.tenant.methods.is_empty() && reason == EnrolmentReason::ClientWish {
            return Err(ErrorCode::UnmetAuthenticationRequirements);
        }
        needs.push(Need::Enrolment(reason));
    }
    if who.codes_to_store {
        needs.push(Need::RecoveryCodesStored);
    }
    needs.extend(who.notice().map(|from| Need::Notice { from }));
    needs.extend(who.consent(request).map(Need::Consent));
    Ok(needs)
}

impl Circumstances<'_> {
    /// An administrator needs a second factor from the tenant's date on; no date means always (SEED1-1, SEED1-3).
    pub fn admin_duty(&self) -> bool {
        self.is_admin && self.tenant.admin_mfa_enforced_from.is_none_or(|from| from <= self.now)
    }

    /// Must an authenticator be enrolled, and why? Whoever has one is asked for it and for nothing else.
    fn enrolment(&self, request: &AuthorizationRequest) -> Option<EnrolmentReason> {
        if self.facts.is_recovering() {
            return Some(EnrolmentReason::Recovery);
        }
        if self.authenticator.is_some() {
            return None;
        }
        let reasons = [
            (self.admin_duty(), EnrolmentReason::AdminDuty),
            (self.tenant.mfa == Mfa::Required, EnrolmentReason::TenantRule),
            (request.essential_acr() == Some(Acr::TwoFactors), EnrolmentReason::ClientWish),
            (self.facts.notice() == Some(true), EnrolmentReason::OwnWish),
        ];
        reasons.into_iter().find_map(|(holds, reason)| holds.then_some(reason))
    }

    /// Administrators are told of a duty that lies ahead, until they have an authenticator (SEED1-2).
    fn notice(&self) -> Option<Time> {
        let ahead = self.is_admin && self.authenticator.is_none() && !self.admin_duty();
        self.tenant.admin_mfa_enforced_from.filter(|_| ahead)
    }

    fn consent(&self, request: &AuthorizationRequest) -> Option<Scope> {
        let scope = request.scope_to_allow();
        let allowed = |given: Option<&Scope>| given.is_some_and(|given| scope.is_subset(given));
        let due = match self.consent {
            _ if request.prompt.consent => true,
            ConsentRule::Unasked => false,
            ConsentRule::Asked(given) => !allowed(given),
        };
        due.then_some(scope)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::authenticator::Method;
    use crate::domain::fact::FactKind;
    use crate::domain::request::Prompt;

    /// A user of the default tenant, one second before `AT`.
    const AT: Time = Time::from_unix(1_000);

    struct Case {
        tenant: TenantPolicy,
        is_admin: bool,
        authenticator: Option<AuthenticatorId>,
        facts: Facts,
        now: Time,
    }

    impl Default for Case {
        fn default() -> Self {
            let (tenant, facts) = (TenantPolicy::default(), Facts::default());
            Self { tenant, is_admin: false, authenticator: None, facts, now: AT.minus(SECOND) }
        }
    }

    const SECOND: std::time::Duration = std::time::Duration::from_secs(1);

    impl Case {
        fn admin_from(from: Option<Time>) -> Self {
            let tenant = TenantPolicy { admin_mfa_enforced_from: from, ..TenantPolicy::default() };
            Self { tenant, is_admin: true, ..Self::default() }
        }

        fn needs(&self, request: &AuthorizationRequest) -> Result<Vec<Need>, ErrorCode> {
            let user = UserId::new("anna");
            let who = Circumstances {
                tenant: &self.tenant,
                user: &user,
                from_session: false,
                is_admin: self.is_admin,
                authenticator: self.authenticator.as_ref(),
                facts: &self.facts,
                codes_to_store: false,
                consent: ConsentRule::Unasked,
                requested_at: self.now,
                now: self.now,
            };
            needs(request, Some(&who))
        }
    }

    const PASSWORD: Need = Need::Password { since: None };

    fn request() -> AuthorizationRequest {
        AuthorizationRequest::sample()
    }

    #[test]
    fn an_administrator_is_told_before_the_date_and_blocked_from_it_on() {
        let mut case = Case::admin_from(Some(AT));
        assert_eq!(case.needs(&request()), Ok(vec![PASSWORD, Need::Notice { from: AT }]));
        case.now = AT;
        let blocked = Ok(vec![PASSWORD, Need::Enrolment(EnrolmentReason::AdminDuty)]);
        assert_eq!(case.needs(&request()), blocked);
        assert_eq!(Case::admin_from(None).needs(&request()), blocked);
        case.is_admin = false;
        assert_eq!(case.needs(&request()), Ok(vec![PASSWORD]));
    }

    #[test]
    fn who_has_an_authenticator_is_always_asked_for_it() {
        let case = Case { authenticator: Some(AuthenticatorId::new("a")), ..Case::default() };
        assert_eq!(case.needs(&request()), Ok(vec![PASSWORD, Need::SecondFactor { since: None }]));
    }

    #[test]
    fn a_recovery_code_forces_a_new_authenticator() {
        let mut case = Case { authenticator: Some(AuthenticatorId::new("a")), ..Case::default() };
        case.facts.add(FactKind::RecoveryCode, AT);
        let needs = case.needs(&request()).unwrap();
        assert_eq!(needs.last(), Some(&Need::Enrolment(EnrolmentReason::Recovery)));
    }

    #[test]
    fn the_notice_may_end_in_a_voluntary_enrolment() {
        let mut case = Case::admin_from(Some(AT));
        case.facts.add(FactKind::NoticeSeen { enrol: true }, AT);
        assert!(case.needs(&request()).unwrap().contains(&Need::Enrolment(EnrolmentReason::OwnWish)));
    }

    #[test]
    fn max_age_counts_back_from_the_request() {
        let case = Case::default();
        let aged = AuthorizationRequest { max_age: Some(9), ..request() };
        assert_eq!(case.needs(&aged), Ok(vec![Need::Password { since: Some(Time::from_unix(990)) }]));
        let huge = AuthorizationRequest { max_age: Some(u64::MAX), ..request() };
        assert!(case.needs(&huge).is_ok());
    }

    #[test]
    fn an_acr_out_of_reach_is_refused() {
        let demand = |values: &str| {
            let claims = format!(r#"{{"id_token":{{"acr":{{"essential":true,"values":{values}}}}}}}"#);
            AuthorizationRequest { claims: serde_json::from_str(&claims).unwrap(), ..request() }
        };
        let mut case = Case::default();
        let unmet = Err(ErrorCode::UnmetAuthenticationRequirements);
        assert_eq!(case.needs(&demand(r#"["urn:other"]"#)), unmet);
        assert_eq!(case.needs(&demand("[]")), Ok(vec![PASSWORD]));
        let two = demand(r#"["urn:vestibule:acr:2fa"]"#);
        let enrol = Ok(vec![PASSWORD, Need::Enrolment(EnrolmentReason::ClientWish)]);
        assert_eq!(case.needs(&two), enrol);
        case.tenant.methods.retain(|method| *method != Method::Totp);
        assert_eq!(case.needs(&two), unmet);
    }

    #[test]
    fn somebody_else_than_the_hint_names_is_refused() {
        let hinted = AuthorizationRequest { expected_sub: Some("bert".into()), ..request() };
        assert_eq!(Case::default().needs(&hinted), Err(ErrorCode::LoginRequired));
    }

    #[test]
    fn consent_is_asked_once_unless_the_client_asks_again() {
        let case = Case::default();
        let again = Prompt { consent: true, ..Prompt::default() };
        let asked = AuthorizationRequest { prompt: again, ..request() };
        let scope = asked.scope.clone();
        assert_eq!(case.needs(&asked), Ok(vec![PASSWORD, Need::Consent(scope)]));
    }
}
