//! Authentication policy: the pure rules that turn tenant, user, client and request into needs.
//!
//! The order of [`needs`] is the order of the pages. Whatever the pages do, no code is issued while a need is unmet:
//! `interaction::engine` compares the facts with this list only.
//!
//! **A session alone changes no credential** (ASVS 5.0 §7.5.1). A login that enrols an authenticator, which also
//! replaces the recovery codes, or that changes the password, first needs both factors proved in this login within the
//! last five minutes:
//! - The first factor, always. A passkey that verified its user is both factors.
//! - The second factor, if the user has one that can be used here, even in a trusted browser. It must be at least as
//!   strong as what is added or replaced. If everything the user has is weaker than demanded, the best usable one is
//!   enough: a user who has only SMS proves SMS before enrolling a passkey. A password counts as the weakest.
//! - A recovery code replaces the second factor only for the enrolment that follows it. If a password must be changed
//!   too, that comes after the new authenticator. A user whose factors cannot be used here needs a recovery code.
//!
//! Resynchronisation needs the first factor in the same way; its two consecutive codes prove the second.

use super::acr::Acr;
use super::authenticator::{FactorStrength, Held, Method, best_usable};
use super::credential_change::RECENT;
use super::error::ErrorCode;
use super::fact::Facts;
use super::ids::UserId;
use super::request::AuthorizationRequest;
use super::scope::Scope;
use super::tenant::{AdminActivation, Mfa, TenantPolicy};
use super::time::Time;
use super::upstream::Vouched;

/// A condition that a login must meet before it is complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Need {
    /// The user chose to continue with this signed-in account.
    AccountChosen(UserId),
    /// A first factor was proved.
    FirstFactor {
        /// Where and when it must have been proved.
        proved: Recency,
    },
    /// A second factor was proved.
    SecondFactor {
        /// Where and when it must have been proved.
        proved: Recency,
        /// Its minimum strength.
        least: FactorStrength,
        /// The ways in which this user can prove it. A recovery code is accepted too.
        ways: FactorOptions,
    },
    /// The password must be changed. Met once there is a new one.
    NewPassword,
    /// The upstream provider must authenticate with a second factor, because its users have none here.
    UpstreamProof {
        /// The reason.
        reason: EnrolmentReason,
        /// Its minimum strength.
        least: FactorStrength,
    },
    /// The user was asked for the name of the office computer, once in a new enrolment. It is met by the user's row,
    /// not by a fact.
    DesktopName,
    /// A method must be chosen for an authenticator that must be enrolled. With an empty list the login cannot
    /// continue. Met once a method is chosen.
    Method {
        /// The reason.
        reason: EnrolmentReason,
        /// The methods to choose from, in the tenant's order.
        methods: Vec<Method>,
    },
    /// The destination of an authenticator for delivered codes must be given before it is enrolled.
    Destination(Enrolment),
    /// An authenticator must be enrolled. It is met by the authenticator, not by a fact.
    Enrolment(Enrolment),
    /// An administrator must activate an authenticator outside the login, by a link in a mail. Met once there is one.
    Activation {
        /// The reason.
        reason: EnrolmentReason,
    },
    /// The user must store the recovery codes of this login's enrolment. Met once they are erased here.
    RecoveryCodesStored,
    /// The user has seen the announcement of the second-factor duty.
    Notice {
        /// The start of the duty.
        from: Time,
    },
    /// The user consented to these scopes.
    Consent(Scope),
}

/// Where and when a factor must have been proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recency {
    /// In the session or in this login, and not before this time if there is one.
    Session(Option<Time>),
    /// In this login, and not before this time.
    Login(Time),
}

/// The ways in which a user can prove a second factor here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FactorOptions {
    /// By a code of an authenticator.
    pub code: bool,
    /// By a passkey or security key.
    pub passkey: bool,
    /// By two consecutive codes that resynchronise the device, whose first factor was proved.
    pub resync: bool,
}

/// The authenticator that must be enrolled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Enrolment {
    /// The reason.
    pub reason: EnrolmentReason,
    /// The method.
    pub method: Method,
    /// Whether there is another method to choose.
    pub others: bool,
}

/// The reason why an authenticator must be enrolled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EnrolmentReason {
    /// The previous one was replaced by a recovery code.
    Recovery,
    /// Administrators need one before they can continue.
    AdminDuty,
    /// The tenant requires it of all users.
    TenantRule,
    /// The client demands it.
    ClientWish,
    /// The user wants it.
    OwnWish,
}

/// The input of the rules besides the request.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is one thing that a rule looks at")]
pub struct Circumstances<'a> {
    /// The tenant's rules.
    pub tenant: &'a TenantPolicy,
    /// The user who signs in.
    pub user: &'a UserId,
    /// Whether the user is that of the session, with nothing proved in this login yet.
    pub from_session: bool,
    /// Whether the user signs in upstream.
    pub is_upstream: bool,
    /// Whether the user has the role `admin` now.
    pub is_admin: bool,
    /// The user's active authenticators.
    pub held: &'a [Held],
    /// The methods that can be enrolled here: allowed by the tenant, and with a sender if they need one.
    pub methods: &'a [Method],
    /// The enrolment in progress.
    pub enrolling: Option<Enrolling>,
    /// Whether the user must choose a new password.
    pub must_change_password: bool,
    /// Whether the name of the office computer has not been asked for in this enrolment.
    pub desktop_unasked: bool,
    /// The facts of the session and of this login.
    pub facts: &'a Facts,
    /// The facts of this login.
    pub here: &'a Facts,
    /// Whether the user wants to resynchronise a device.
    pub resynchronises: bool,
    /// Whether there are recovery codes that the user has not stored.
    pub codes_to_store: bool,
    /// Whether the client's registration demands consent.
    pub consent: ConsentRule<'a>,
    /// The arrival of the authorization request, from which `prompt=login` and `max_age` count.
    pub requested_at: Time,
    /// The current time.
    pub now: Time,
}

/// The progress of an authenticator's enrolment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Enrolling {
    /// The chosen method.
    pub method: Method,
    /// Whether its secret was generated, or its destination given.
    pub begun: bool,
}

/// The consent rule of a client.
#[derive(Clone, Copy, Debug)]
pub enum ConsentRule<'a> {
    /// No consent is required.
    Unasked,
    /// Consent is required; contains an earlier consent.
    Asked(Option<&'a Scope>),
}

/// Returns the needs of this login in the order of the pages, or the error if the request cannot be satisfied.
///
/// While the user is unknown (`None`), only the first factor is needed.
pub fn needs(
    request: &AuthorizationRequest,
    who: Option<&Circumstances<'_>>,
) -> Result<Vec<Need>, ErrorCode> {
    if request.demands_unknown_acr() {
        return Err(ErrorCode::UnmetAuthenticationRequirements);
    }
    let Some(who) = who else { return Ok(vec![Need::FirstFactor { proved: Recency::Session(None) }]) };
    if request.expected_sub.as_deref().is_some_and(|sub| sub != who.user.as_str()) {
        return Err(ErrorCode::LoginRequired);
    }
    let since = request.young_since(who.requested_at);
    let demands = who.demands(request);
    let changes = if who.is_upstream { Vec::new() } else { who.changes(&demands)? };
    let is_change = changes.iter().any(Need::is_change);
    let recent = Recency::Login(since.map_or(who.recent(), |since| since.max(who.recent())));
    let proved = |here| if here { recent } else { Recency::Session(since) };
    let mut needs = Vec::new();
    if request.prompt.select_account && who.from_session {
        needs.push(Need::AccountChosen(who.user.clone()));
    }
    needs.push(Need::FirstFactor { proved: proved(is_change || who.resynchronises) });
    if who.is_upstream {
        needs.extend(who.upstream_proof(&demands)?);
    } else {
        if !who.held.is_empty() && (is_change || !who.skips_second_factor(request)) {
            // A user with an authenticator proves it, however weak, before enrolling a stronger one. A user whose
            // authenticators cannot be used here needs a recovery code: a password alone must not be enough to enrol
            // another.
            let wanted = demands.iter().map(|demand| demand.least).max().unwrap_or(FactorStrength::Mail);
            let least = wanted.min(who.best().unwrap_or(FactorStrength::Mail));
            needs.push(Need::SecondFactor { proved: proved(is_change), least, ways: who.ways(least) });
        }
        needs.extend(changes);
    }
    if who.codes_to_store {
        needs.push(Need::RecoveryCodesStored);
    }
    needs.extend(who.notice().map(|from| Need::Notice { from }));
    needs.extend(who.consent(request).map(Need::Consent));
    Ok(needs)
}

/// A rule that demands a second factor.
#[derive(Clone, Copy)]
struct Demand {
    reason: EnrolmentReason,
    least: FactorStrength,
}

impl Need {
    /// Returns whether it is met by a change of credentials, or by a step towards one.
    pub const fn is_change(&self) -> bool {
        match self {
            Self::NewPassword | Self::DesktopName | Self::Destination(_) | Self::Enrolment(_) => true,
            Self::Method { methods, .. } => !methods.is_empty(),
            _ => false,
        }
    }
}

impl Circumstances<'_> {
    /// The earliest time of a factor that a change of credentials relies on.
    fn recent(&self) -> Time {
        self.now.minus(RECENT)
    }

    /// The changes of credentials in this login, in order.
    fn changes(&self, demands: &[Demand]) -> Result<Vec<Need>, ErrorCode> {
        let mut password: Vec<_> =
            self.must_change_password.then_some(Need::NewPassword).into_iter().collect();
        let mut enrolment = self.enrolment(demands)?;
        Ok(if self.facts.is_recovering() {
            enrolment.append(&mut password);
            enrolment
        } else {
            password.append(&mut enrolment);
            password
        })
    }

    /// Returns whether the second-factor duty of administrators applies: from the tenant's date on, or always without
    /// one.
    pub fn admin_duty(&self) -> bool {
        self.tenant.admin_duty(self.is_admin, self.now)
    }

    /// The rules that apply, the most important reason first. Delivered codes never meet the administrators' duty.
    fn demands(&self, request: &AuthorizationRequest) -> Vec<Demand> {
        let demanded = match request.essential_acr() {
            Some(Acr::PhishingResistant) => Some(FactorStrength::PhishingResistant),
            Some(Acr::TwoFactors) => Some(self.tenant.two_factors(self.is_admin)),
            Some(Acr::OneFactor) | None => None,
        };
        let wishes = self.facts.notice() == Some(true) && !self.is_upstream;
        let all = [
            (self.admin_duty(), EnrolmentReason::AdminDuty, FactorStrength::Device),
            (self.tenant.mfa == Mfa::Required, EnrolmentReason::TenantRule, FactorStrength::Mail),
            (demanded.is_some(), EnrolmentReason::ClientWish, demanded.unwrap_or(FactorStrength::Mail)),
            // Only administrators see the announcement, so they want to meet the duty; upstream users meet it there.
            (wishes, EnrolmentReason::OwnWish, FactorStrength::Device),
        ];
        let holding = all.into_iter().filter(|(holds, ..)| *holds);
        holding.map(|(_, reason, least)| Demand { reason, least }).collect()
    }

    /// Returns whether a trusted browser replaces the second factor: if the tenant allows it, the client does not ask
    /// for a class, and the user is not an administrator.
    fn skips_second_factor(&self, request: &AuthorizationRequest) -> bool {
        self.tenant.trusted_browsers.lifetime().is_some()
            && !self.is_admin
            && !request.asks_for_acr()
            && self.facts.is_trusted_browser()
    }

    /// The strength of the user's best authenticator that can be used here.
    fn best(&self) -> Option<FactorStrength> {
        best_usable(self.held)
    }

    /// The ways in which a second factor of this strength can be proved.
    fn ways(&self, least: FactorStrength) -> FactorOptions {
        let first = self.here.not_before(Some(self.recent())).first_factor();
        let mut ways = FactorOptions { resync: first.is_some(), ..FactorOptions::default() };
        for held in self.held.iter().filter(|held| held.usable && held.worth >= least) {
            match held.worth {
                FactorStrength::PhishingResistant => ways.passkey = true,
                FactorStrength::Mail | FactorStrength::Sms | FactorStrength::Device => ways.code = true,
            }
        }
        ways
    }

    /// Returns whether an authenticator must be enrolled, and the progress. A user with a strong enough one only proves
    /// it.
    fn enrolment(&self, demands: &[Demand]) -> Result<Vec<Need>, ErrorCode> {
        let unmet = demands.iter().find(|demand| self.best().is_none_or(|best| best < demand.least));
        let reason = match unmet {
            _ if self.facts.is_recovering() => EnrolmentReason::Recovery,
            Some(demand) => demand.reason,
            None => return Ok(Vec::new()),
        };
        let by_mail = self.tenant.admin_activation == AdminActivation::Mail;
        if by_mail && matches!(reason, EnrolmentReason::AdminDuty | EnrolmentReason::OwnWish) {
            return Ok(vec![Need::Activation { reason }]);
        }
        let least = demands.iter().map(|demand| demand.least).max().unwrap_or(FactorStrength::Mail);
        let mut methods = self.methods.to_vec();
        methods.retain(|method| method.worth() >= least);
        if methods.is_empty() && reason == EnrolmentReason::ClientWish {
            return Err(ErrorCode::UnmetAuthenticationRequirements);
        }
        let mut needs = Vec::new();
        let new = self.held.is_empty() && reason != EnrolmentReason::Recovery;
        if new && self.tenant.ask_desktop_name && self.desktop_unasked && !methods.is_empty() {
            needs.push(Need::DesktopName);
        }
        let others = methods.len() > 1;
        let chosen = self.enrolling.filter(|enrolling| methods.contains(&enrolling.method));
        let only = methods.first().filter(|_| !others).map(|&method| Enrolling { method, begun: false });
        needs.push(match chosen.or(only) {
            None => Need::Method { reason, methods },
            Some(Enrolling { method: method @ (Method::Sms | Method::Mail), begun: false }) => {
                Need::Destination(Enrolment { reason, method, others })
            }
            Some(Enrolling { method, .. }) => Need::Enrolment(Enrolment { reason, method, others }),
        });
        Ok(needs)
    }

    /// Returns whether the upstream provider must authenticate with a second factor. It proves both factors at the same
    /// time, so a recent first factor implies a recent second one. A client's demand alone is sent along with the
    /// redirect there; if it is then still unmet, it cannot be met.
    fn upstream_proof(&self, demands: &[Demand]) -> Result<Option<Need>, ErrorCode> {
        let proved = self.facts.second_factor().map(|proved| proved.worth);
        let unmet = demands.iter().find(|demand| proved.is_none_or(|worth| worth < demand.least));
        let Some(&Demand { reason, least }) = unmet else { return Ok(None) };
        let is_hopeless = !self.from_session || least > Vouched::WORTH;
        if reason == EnrolmentReason::ClientWish && is_hopeless {
            return Err(ErrorCode::UnmetAuthenticationRequirements);
        }
        Ok(Some(Need::UpstreamProof { reason, least }))
    }

    /// Announces the duty to administrators before its start, until they have an authenticator for it.
    fn notice(&self) -> Option<Time> {
        let best = if self.is_upstream { self.facts.second_factor().map(|it| it.worth) } else { self.best() };
        let ahead = self.is_admin && best < Some(FactorStrength::Device) && !self.admin_duty();
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
    use std::time::Duration;

    use super::*;
    use crate::domain::fact::FactKind;
    use crate::domain::ids::{AuthenticatorId, TrustedBrowserId, UpstreamId};
    use crate::domain::request::Prompt;

    /// The reference time; the default case is one second earlier.
    const AT: Time = Time::from_unix(1_000);

    #[expect(clippy::struct_excessive_bools, reason = "each is one thing that a rule looks at")]
    struct Case {
        tenant: TenantPolicy,
        is_upstream: bool,
        is_admin: bool,
        held: Vec<Held>,
        methods: Vec<Method>,
        enrolling: Option<Enrolling>,
        desktop_unasked: bool,
        must_change_password: bool,
        facts: Facts,
        here: Facts,
        resynchronises: bool,
        now: Time,
    }

    impl Default for Case {
        fn default() -> Self {
            Self {
                tenant: TenantPolicy::default(),
                is_upstream: false,
                is_admin: false,
                held: Vec::new(),
                methods: vec![Method::Totp],
                enrolling: None,
                desktop_unasked: true,
                must_change_password: false,
                facts: Facts::default(),
                here: Facts::default(),
                resynchronises: false,
                now: AT.minus(SECOND),
            }
        }
    }

    const SECOND: Duration = Duration::from_secs(1);

    fn held(worth: FactorStrength) -> Vec<Held> {
        vec![Held { id: AuthenticatorId::new("a"), worth, usable: true }]
    }

    impl Case {
        fn admin_from(from: Option<Time>) -> Self {
            let tenant = TenantPolicy { admin_mfa_enforced_from: from, ..TenantPolicy::default() };
            Self { tenant, is_admin: true, ..Self::default() }
        }

        fn required(methods: &[Method]) -> Self {
            let tenant = TenantPolicy { mfa: Mfa::Required, ..TenantPolicy::default() };
            Self { tenant, methods: methods.to_vec(), ..Self::default() }
        }

        fn needs(&self, request: &AuthorizationRequest) -> Result<Vec<Need>, ErrorCode> {
            let user = UserId::new("anna");
            let who = Circumstances {
                tenant: &self.tenant,
                user: &user,
                from_session: false,
                is_upstream: self.is_upstream,
                is_admin: self.is_admin,
                held: &self.held,
                methods: &self.methods,
                enrolling: self.enrolling,
                must_change_password: self.must_change_password,
                desktop_unasked: self.desktop_unasked,
                facts: &self.facts,
                here: &self.here,
                resynchronises: self.resynchronises,
                codes_to_store: false,
                consent: ConsentRule::Unasked,
                requested_at: self.now,
                now: self.now,
            };
            needs(request, Some(&who))
        }

        fn recent(&self) -> Recency {
            Recency::Login(self.now.minus(RECENT))
        }

        /// The first factor, proved recently in this login.
        fn password(&self) -> Need {
            Need::FirstFactor { proved: self.recent() }
        }

        /// The second factor by code, proved recently in this login.
        fn second(&self, least: FactorStrength) -> Need {
            let ways = FactorOptions { code: true, ..FactorOptions::default() };
            Need::SecondFactor { proved: self.recent(), least, ways }
        }

        fn last(&self) -> Need {
            self.needs(&request()).unwrap().pop().unwrap()
        }
    }

    const PASSWORD: Need = Need::FirstFactor { proved: Recency::Session(None) };

    const fn enrol(reason: EnrolmentReason) -> Need {
        Need::Enrolment(Enrolment { reason, method: Method::Totp, others: false })
    }

    /// A second factor by code.
    const fn second(least: FactorStrength) -> Need {
        let ways = FactorOptions { code: true, passkey: false, resync: false };
        Need::SecondFactor { proved: Recency::Session(None), least, ways }
    }

    fn request() -> AuthorizationRequest {
        AuthorizationRequest::sample()
    }

    fn demand(values: &str) -> AuthorizationRequest {
        let claims = format!(r#"{{"id_token":{{"acr":{{"essential":true,"values":{values}}}}}}}"#);
        AuthorizationRequest { claims: serde_json::from_str(&claims).unwrap(), ..request() }
    }

    const TWO: &str = r#"["urn:vestibule:acr:2fa"]"#;

    #[test]
    fn an_administrator_is_told_before_the_date_and_blocked_from_it_on() {
        let mut case = Case::admin_from(Some(AT));
        assert_eq!(case.needs(&request()), Ok(vec![PASSWORD, Need::Notice { from: AT }]));
        case.now = AT;
        assert_eq!(case.needs(&request()), Ok(vec![case.password(), enrol(EnrolmentReason::AdminDuty)]));
        let always = Case::admin_from(None);
        assert_eq!(always.needs(&request()), Ok(vec![always.password(), enrol(EnrolmentReason::AdminDuty)]));
        case.is_admin = false;
        assert_eq!(case.needs(&request()), Ok(vec![PASSWORD]));
    }

    fn vouched(mfa: bool) -> Facts {
        let vouched = Vouched { upstream: UpstreamId::new("north"), mfa, amr: Vec::new() };
        let mut facts = Facts::default();
        facts.add(&UserId::new("anna"), FactKind::Upstream(vouched), AT.minus(SECOND));
        facts
    }

    #[test]
    fn who_signs_in_upstream_proves_everything_there() {
        let mut case = Case { is_upstream: true, facts: vouched(false), ..Case::admin_from(Some(AT)) };
        assert_eq!(case.needs(&request()), Ok(vec![PASSWORD, Need::Notice { from: AT }]));
        case.now = AT;
        let blocked =
            Need::UpstreamProof { reason: EnrolmentReason::AdminDuty, least: FactorStrength::Device };
        assert_eq!(case.needs(&request()), Ok(vec![PASSWORD, blocked]), "no enrolment here");
        case.facts = vouched(true);
        assert_eq!(case.needs(&request()), Ok(vec![PASSWORD]));
        let mut case = Case { is_upstream: true, facts: vouched(false), ..Case::required(&[Method::Totp]) };
        assert_eq!(
            case.last(),
            Need::UpstreamProof { reason: EnrolmentReason::TenantRule, least: FactorStrength::Mail }
        );
        case.tenant.mfa = Mfa::Optional;
        assert_eq!(case.needs(&demand(TWO)), Err(ErrorCode::UnmetAuthenticationRequirements));
        case.facts = vouched(true);
        assert_eq!(case.needs(&demand(TWO)), Ok(vec![PASSWORD]));
    }

    #[test]
    fn who_has_an_authenticator_is_always_asked_for_it() {
        for worth in [FactorStrength::Mail, FactorStrength::Sms, FactorStrength::Device] {
            let case = Case { held: held(worth), ..Case::default() };
            let second = second(FactorStrength::Mail);
            assert_eq!(case.needs(&request()), Ok(vec![PASSWORD, second]));
        }
    }

    #[test]
    fn codes_that_are_sent_never_satisfy_an_administrators_duty() {
        let methods = vec![Method::Sms, Method::Totp, Method::Mail];
        for worth in [FactorStrength::Mail, FactorStrength::Sms] {
            let mut case = Case { methods: methods.clone(), held: held(worth), ..Case::admin_from(None) };
            case.tenant.mail_counts_as_2fa = true;
            let proved = [case.password(), case.second(worth)];
            let needs = case.needs(&request()).unwrap();
            assert_eq!(needs, [&proved[..], &[enrol(EnrolmentReason::AdminDuty)]].concat());
            case.tenant.admin_mfa_enforced_from = Some(AT);
            assert_eq!(case.last(), Need::Notice { from: AT });
        }
        let case = Case { methods: vec![Method::Sms], ..Case::admin_from(None) };
        let nothing = Need::Method { reason: EnrolmentReason::AdminDuty, methods: Vec::new() };
        assert_eq!(case.last(), nothing, "and an administrator is offered none");
    }

    #[test]
    fn mail_satisfies_the_tenant_and_the_client_only_where_it_counts() {
        let mut case = Case::required(&[Method::Mail, Method::Sms]);
        case.held = held(FactorStrength::Mail);
        let second = second(FactorStrength::Mail);
        assert_eq!(case.needs(&request()), Ok(vec![PASSWORD, second.clone()]));
        let (reason, method) = (EnrolmentReason::ClientWish, Method::Sms);
        let better = Need::Destination(Enrolment { reason, method, others: false });
        let here = [case.password(), case.second(FactorStrength::Mail)];
        assert_eq!(case.needs(&demand(TWO)).unwrap(), [&here[..], &[better]].concat());
        case.methods = vec![Method::Mail];
        assert_eq!(case.needs(&demand(TWO)), Err(ErrorCode::UnmetAuthenticationRequirements));
        case.tenant.mail_counts_as_2fa = true;
        assert_eq!(case.needs(&demand(TWO)), Ok(vec![PASSWORD, second]));
    }

    #[test]
    fn of_several_only_those_count_that_are_good_enough() {
        let mut case = Case { is_admin: true, ..Case::default() };
        case.held = [held(FactorStrength::Sms), held(FactorStrength::Device)].concat();
        assert_eq!(case.last(), second(FactorStrength::Device));
    }

    #[test]
    fn a_method_is_chosen_then_its_destination_then_it_is_confirmed() {
        let reason = EnrolmentReason::TenantRule;
        let mut case = Case::required(&[Method::Totp, Method::Sms]);
        let choose = Need::Method { reason, methods: case.methods.clone() };
        assert_eq!(case.last(), choose);
        let mut at = |method, begun| {
            case.enrolling = Some(Enrolling { method, begun });
            case.last()
        };
        let totp = Enrolment { reason, method: Method::Totp, others: true };
        assert_eq!(at(Method::Totp, false), Need::Enrolment(totp));
        let sms = Enrolment { reason, method: Method::Sms, others: true };
        assert_eq!(at(Method::Sms, false), Need::Destination(sms));
        assert_eq!(at(Method::Sms, true), Need::Enrolment(sms));
        assert_eq!(at(Method::Mail, true), choose, "what is not allowed any more is not gone on with");
    }

    #[test]
    fn the_office_computer_is_asked_for_in_a_new_enrolment_only() {
        let mut case = Case::required(&[Method::Totp]);
        case.tenant.ask_desktop_name = true;
        let asked = Ok(vec![case.password(), Need::DesktopName, enrol(EnrolmentReason::TenantRule)]);
        assert_eq!(case.needs(&request()), asked);
        case.desktop_unasked = false;
        assert_eq!(case.needs(&request()), Ok(vec![case.password(), enrol(EnrolmentReason::TenantRule)]));
        case.desktop_unasked = true;
        case.facts.add(&UserId::new("anna"), FactKind::RecoveryCode, AT);
        assert_eq!(case.needs(&request()), Ok(vec![case.password(), enrol(EnrolmentReason::Recovery)]));
    }

    #[test]
    fn where_activation_is_by_mail_the_login_enrols_no_administrator() {
        let mut case = Case::admin_from(Some(AT));
        case.tenant.admin_activation = AdminActivation::Mail;
        assert_eq!(case.needs(&request()), Ok(vec![PASSWORD, Need::Notice { from: AT }]));
        case.now = AT;
        let blocked = Need::Activation { reason: EnrolmentReason::AdminDuty };
        assert_eq!(case.needs(&request()), Ok(vec![PASSWORD, blocked]));
        case.facts.add(&UserId::new("anna"), FactKind::RecoveryCode, AT);
        assert_eq!(case.last(), enrol(EnrolmentReason::Recovery), "who has had one may replace it");
        case.is_admin = false;
        case.facts = Facts::default();
        case.tenant.mfa = Mfa::Required;
        assert_eq!(case.last(), enrol(EnrolmentReason::TenantRule), "others are unaffected");
    }

    #[test]
    fn a_password_that_must_not_be_kept_is_proved_here_and_after_the_second_factor_replaced() {
        let mut case =
            Case { must_change_password: true, held: held(FactorStrength::Device), ..Case::default() };
        let proved = [case.password(), case.second(FactorStrength::Mail)];
        assert_eq!(case.needs(&request()).unwrap(), [&proved[..], &[Need::NewPassword]].concat());
        case.facts.add(&UserId::new("anna"), FactKind::RecoveryCode, AT);
        let replaced = [enrol(EnrolmentReason::Recovery), Need::NewPassword];
        assert_eq!(
            case.needs(&request()).unwrap(),
            [&proved[..], &replaced].concat(),
            "and then the password"
        );
    }

    /// Neither the session nor a trusted browser proves anything for it.
    #[test]
    fn what_changes_a_credential_is_proved_in_this_login_and_lately() {
        let mut case = Case::required(&[Method::Totp, Method::Passkey]);
        case.tenant.trusted_browsers.days = 30;
        case.held = held(FactorStrength::PhishingResistant);
        case.held[0].usable = false;
        case.facts.add(&UserId::new("anna"), FactKind::TrustedBrowser(TrustedBrowserId::new("b")), AT);
        let ways = FactorOptions::default();
        let recovery = Need::SecondFactor { proved: case.recent(), least: FactorStrength::Mail, ways };
        assert_eq!(case.needs(&request()).unwrap()[..2], [case.password(), recovery]);
        case.must_change_password = true;
        case.held = held(FactorStrength::Sms);
        let proved = [case.password(), case.second(FactorStrength::Mail), Need::NewPassword];
        assert_eq!(case.needs(&request()).unwrap(), proved);
        case.must_change_password = false;
        assert_eq!(case.needs(&request()), Ok(vec![PASSWORD]), "otherwise the browser is enough");
        let young = AuthorizationRequest { max_age: Some(9), ..demand(r#"["phr"]"#) };
        let since = Recency::Login(case.now.minus(9 * SECOND));
        assert_eq!(case.needs(&young).unwrap()[0], Need::FirstFactor { proved: since }, "or sooner");
    }

    /// Of the user's authenticators, the best usable one is proved before a better one is enrolled.
    #[test]
    fn who_has_only_sms_proves_it_before_a_passkey_is_enrolled() {
        let mut case =
            Case { held: held(FactorStrength::Sms), methods: vec![Method::Passkey], ..Case::default() };
        let needs = case.needs(&demand(r#"["phr"]"#)).unwrap();
        assert_eq!(needs[..2], [case.password(), case.second(FactorStrength::Sms)]);
        case.held.extend(held(FactorStrength::Device));
        let needs = case.needs(&demand(r#"["phr"]"#)).unwrap();
        assert_eq!(needs[..2], [case.password(), case.second(FactorStrength::Device)]);
        case.held[1].usable = false;
        let needs = case.needs(&demand(r#"["phr"]"#)).unwrap();
        assert_eq!(needs[..2], [case.password(), case.second(FactorStrength::Sms)]);
    }

    #[test]
    fn a_device_is_resynchronised_after_the_first_factor_alone() {
        let mut case = Case { held: held(FactorStrength::Device), resynchronises: true, ..Case::default() };
        let needs = case.needs(&request()).unwrap();
        assert_eq!(needs, [case.password(), second(FactorStrength::Mail)]);
        case.here.add(&UserId::new("anna"), FactKind::Password, case.now.minus(RECENT));
        let resync = |need: &Need| matches!(need, Need::SecondFactor { ways, .. } if ways.resync);
        assert!(resync(&case.needs(&request()).unwrap()[1]));
        case.now = AT;
        assert!(!resync(&case.needs(&request()).unwrap()[1]), "a second later it is too old");
    }

    #[test]
    fn a_recovery_code_forces_a_new_authenticator() {
        let mut case = Case { held: held(FactorStrength::Device), ..Case::default() };
        case.facts.add(&UserId::new("anna"), FactKind::RecoveryCode, AT);
        assert_eq!(case.last(), enrol(EnrolmentReason::Recovery));
    }

    #[test]
    fn the_notice_may_end_in_a_voluntary_enrolment() {
        let mut case = Case::admin_from(Some(AT));
        case.facts.add(&UserId::new("anna"), FactKind::NoticeSeen { enrol: true }, AT);
        assert!(case.needs(&request()).unwrap().contains(&enrol(EnrolmentReason::OwnWish)));
    }

    #[test]
    fn max_age_counts_back_from_the_request() {
        let case = Case::default();
        let aged = AuthorizationRequest { max_age: Some(9), ..request() };
        assert_eq!(
            case.needs(&aged),
            Ok(vec![Need::FirstFactor { proved: Recency::Session(Some(Time::from_unix(990))) }])
        );
        let huge = AuthorizationRequest { max_age: Some(u64::MAX), ..request() };
        assert!(case.needs(&huge).is_ok());
    }

    #[test]
    fn an_acr_out_of_reach_is_refused() {
        let mut case = Case::default();
        let unmet = Err(ErrorCode::UnmetAuthenticationRequirements);
        assert_eq!(case.needs(&demand(r#"["urn:other"]"#)), unmet);
        assert_eq!(case.needs(&demand("[]")), Ok(vec![PASSWORD]));
        assert_eq!(case.needs(&demand(TWO)), Ok(vec![case.password(), enrol(EnrolmentReason::ClientWish)]));
        case.methods.retain(|method| *method != Method::Totp);
        assert_eq!(case.needs(&demand(TWO)), unmet);
    }

    #[test]
    fn a_client_may_demand_a_passkey() {
        let phr = demand(r#"["phr"]"#);
        let mut case = Case { held: held(FactorStrength::Device), ..Case::default() };
        assert_eq!(case.needs(&phr), Err(ErrorCode::UnmetAuthenticationRequirements));
        case.methods.push(Method::Passkey);
        let passkey =
            Enrolment { reason: EnrolmentReason::ClientWish, method: Method::Passkey, others: false };
        let enrol = Need::Enrolment(passkey);
        assert_eq!(case.needs(&phr), Ok(vec![case.password(), case.second(FactorStrength::Device), enrol]));
        case.held.extend(held(FactorStrength::PhishingResistant));
        let ways = FactorOptions { passkey: true, ..FactorOptions::default() };
        let passkey = Need::SecondFactor {
            proved: Recency::Session(None),
            least: FactorStrength::PhishingResistant,
            ways,
        };
        assert_eq!(case.needs(&phr), Ok(vec![PASSWORD, passkey]));
        let ways = FactorOptions { code: true, passkey: true, resync: false };
        assert_eq!(
            case.last(),
            Need::SecondFactor { proved: Recency::Session(None), least: FactorStrength::Mail, ways }
        );
    }

    #[test]
    fn a_passkey_for_another_host_is_no_way_but_a_password_alone_is_not_enough() {
        let mut case = Case::required(&[Method::Passkey]);
        case.held = held(FactorStrength::PhishingResistant);
        case.held[0].usable = false;
        let needs = case.needs(&request()).unwrap();
        let second = Need::SecondFactor {
            proved: case.recent(),
            least: FactorStrength::Mail,
            ways: FactorOptions::default(),
        };
        assert_eq!(
            needs[..2],
            [case.password(), second],
            "by recovery code, and then one for here is enrolled"
        );
        assert!(matches!(needs[2], Need::Enrolment(_)));
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
