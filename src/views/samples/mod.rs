//! One of everything: what tests render, and what is looked at before a page is called done. A host with a theme of
//! its own has the same to look at.

mod second_factors;

use super::{
    ApplicationInfo, BlockedView, Body, Brand, BusyView, ChooseAccountView, ChooseMethodView,
    ConfirmCodeView, ConfirmSignOutView, ConsentView, DesktopView, Duty, EmailView, EnrolPasskeyView,
    EnrolView, ExpiredView, Field, ForgottenView, Form, FormPostView, IdentifyView, LinkView,
    NewPasswordView, NoticeUpstream, NoticeView, OnwardView, PasskeyOffer, PhoneView, Problem,
    RecoveryCodesView, Reference, RefusalReason, RefusedView, ResetDoneView, ResetSentView, ResetVoidView,
    SentCode, SignedInView, SignedOutView, UpstreamChoice, UpstreamProofView, WaitView, WayBack,
};
use crate::domain::authenticator::Method;
use crate::domain::branding::Accent;
use crate::domain::contact::Country;
use crate::domain::message::Channel;
use crate::domain::own_scopes::Title;
use crate::domain::password::{PasswordFault, PasswordRules};
use crate::domain::scope::Scope;
use crate::domain::time::Time;

fn form(problems: &[Problem]) -> Form {
    Form { problems: problems.to_vec(), ..Form::new("/t/example.works/login/8f3a/step", "7Zb1cXk3") }
}

fn application() -> ApplicationInfo {
    ApplicationInfo {
        name: "Shop".to_owned(),
        logo: None,
        policy: Some("https://shop.example.test/privacy".to_owned()),
        terms: Some("https://shop.example.test/terms".to_owned()),
    }
}

fn back() -> WayBack {
    WayBack { name: "Shop".to_owned(), address: "https://shop.example.test/login".to_owned() }
}

fn reference() -> Reference {
    Reference::new("K7QF-2MPX")
}

/// The tenant of the samples.
pub(crate) fn tenant() -> Brand {
    Brand { name: "Example Works".to_owned(), logo: None, accent: Accent::parse("#0b6e4f").ok() }
}

fn identify(tenant: Option<&str>, username: &str, problems: &[Problem]) -> Body {
    let tenant = tenant.map(str::to_owned);
    Body::Identify(IdentifyView {
        form: form(problems),
        application: application(),
        tenant,
        username: username.to_owned(),
        forgotten: Some("/reset?client_id=shop".to_owned()),
        upstreams: Vec::new(),
        remembered: None,
        passkey: None,
    })
}

fn upstream(title: &str) -> UpstreamChoice {
    UpstreamChoice { title: title.to_owned(), address: "/t/example.works/login/8f3a/with/north".to_owned() }
}

fn identify_upstream(remembered: bool, problems: &[Problem]) -> Body {
    let mut upstreams = vec![upstream("North Systems account"), upstream("Southern Networks account")];
    Body::Identify(IdentifyView {
        form: form(problems),
        application: application(),
        tenant: Some(String::new()),
        username: String::new(),
        forgotten: Some("/reset?client_id=shop".to_owned()),
        remembered: remembered.then(|| upstreams.remove(0)),
        upstreams,
        passkey: None,
    })
}

fn link(problems: &[Problem]) -> Body {
    Body::Link(LinkView {
        form: Form { reference: Some(reference()), ..form(problems) },
        upstream: "North Systems account".to_owned(),
        identify: "identify".to_owned(),
    })
}

fn onward() -> Body {
    let address = "https://shop.example.test/callback?code=c0de".to_owned();
    Body::Onward(OnwardView { application: "Shop".to_owned(), address })
}

fn upstream_proof(duty: Duty, is_resellers: bool) -> Body {
    let activation = is_resellers.then(|| "https://portal.north.test/2fa".to_owned());
    let (form, upstream) = (form(&[]), "North Systems account".to_owned());
    Body::UpstreamProof(UpstreamProofView { form, duty, upstream, is_resellers, activation })
}

fn notice(problems: &[Problem], upstream: Option<NoticeUpstream>) -> Body {
    Body::Notice(NoticeView { form: form(problems), from: Time::from_unix(1_796_137_500), upstream })
}

fn notice_upstream(activation: Option<&str>) -> Body {
    let activation = activation.map(str::to_owned);
    notice(&[], Some(NoticeUpstream { title: "North Systems account".to_owned(), activation }))
}

fn identify_or_passkey(problems: &[Problem]) -> Body {
    let options = r#"{"publicKey":{"challenge":"c2FtcGxl","rpId":"id.test"}}"#.to_owned();
    Body::Identify(IdentifyView {
        form: form(problems),
        application: application(),
        tenant: None,
        username: String::new(),
        forgotten: Some("/reset?client_id=shop".to_owned()),
        upstreams: Vec::new(),
        remembered: None,
        passkey: Some(PasskeyOffer { action: "passkey_sign_in".to_owned(), options }),
    })
}

fn enrol_passkey(duty: Duty, problems: &[Problem]) -> Body {
    let user = r#""user":{"id":"YW5uYQ","name":"anna@example.works","displayName":"Anna"}"#;
    let options = format!(r#"{{"publicKey":{{"challenge":"c2FtcGxl","rp":{{"name":"Example"}},{user}}}}}"#);
    let others = duty == Duty::Tenant;
    Body::EnrolPasskey(EnrolPasskeyView { form: form(problems), duty, options, others })
}

fn sent(channel: Channel, is_out: bool, wait: i64) -> SentCode {
    let destination = match channel {
        Channel::Sms => "+49 •••78",
        Channel::Mail => "a•••@example.test",
    };
    let now = Time::from_unix(1_795_442_700);
    let again_at = Time::from_unix(now.unix() + wait);
    SentCode { channel, destination: destination.to_owned(), is_out, again_at, now }
}

fn phone(number: &str, problems: &[Problem]) -> Body {
    let countries = ["DE", "AT", "CH", "FR", "US"].into_iter().filter_map(|code| Country::parse(code).ok());
    let countries: Vec<_> = countries.collect();
    Body::Phone(PhoneView {
        form: form(problems),
        duty: Duty::Tenant,
        country: countries.first().copied(),
        countries,
        number: number.to_owned(),
        others: true,
    })
}

fn email(address: &str, problems: &[Problem]) -> Body {
    let address = address.to_owned();
    Body::Email(EmailView { form: form(problems), duty: Duty::Chosen, address, others: false })
}

fn confirm_code(sent: SentCode, problems: &[Problem]) -> Body {
    Body::ConfirmCode(ConfirmCodeView { form: form(problems), duty: Duty::Tenant, sent, others: true })
}

fn enrol(duty: Duty, problems: &[Problem]) -> Body {
    let secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";
    Body::Enrol(EnrolView {
        form: form(problems),
        duty,
        uri: format!("otpauth://totp/Example%20Works:anna?secret={secret}&issuer=Example%20Works"),
        secret: ["JBSW", "Y3DP", "EHPK", "3PXP"].repeat(2).into_iter().map(str::to_owned).collect(),
        account: "anna@example.works".to_owned(),
        others: duty == Duty::Tenant,
    })
}

fn desktop(name: &str, problems: &[Problem]) -> Body {
    Body::Desktop(DesktopView { form: form(problems), name: name.to_owned() })
}

fn choose_method(duty: Duty, problems: &[Problem]) -> Body {
    let methods = vec![Method::Totp, Method::Sms, Method::Mail, Method::Passkey];
    Body::ChooseMethod(ChooseMethodView { form: form(problems), duty, methods })
}

fn recovery_codes(problems: &[Problem]) -> Body {
    let codes = (0..10).map(|n| format!("{n}K7QF-2MPX{n}")).collect();
    Body::RecoveryCodes(RecoveryCodesView { form: form(problems), codes, account: "anna".to_owned() })
}

fn consent() -> Body {
    let title = Title {
        en: "see your orders".to_owned(),
        de: Some("Ihre Bestellungen sehen".to_owned()),
        fr: Some("voir vos commandes".to_owned()),
    };
    Body::Consent(ConsentView {
        form: form(&[]),
        application: application(),
        host: "shop.example.test".to_owned(),
        scope: Scope::parse(
            "openid profile email address phone roles groups account:sessions orders:read warehouse:read",
        ),
        titles: [("orders:read".to_owned(), title)].into(),
        account: "anna".to_owned(),
    })
}

fn choose_account(name: Option<&str>) -> Body {
    let name = name.map(str::to_owned);
    Body::ChooseAccount(ChooseAccountView {
        form: form(&[]),
        application: application(),
        account: "anna".to_owned(),
        name,
    })
}

fn confirm_sign_out(application: Option<ApplicationInfo>) -> Body {
    Body::ConfirmSignOut(ConfirmSignOutView { form: form(&[]), account: "anna".to_owned(), application })
}

fn forgotten(tenant: Option<&str>, problems: &[Problem]) -> Body {
    let tenant = tenant.map(str::to_owned);
    Body::Forgotten(ForgottenView { form: form(problems), tenant, username: String::new() })
}

fn new_password(is_admin: bool, problems: &[Problem]) -> Body {
    let (rules, account) = (PasswordRules::of(is_admin), "anna".to_owned());
    Body::NewPassword(NewPasswordView { form: form(problems), rules, account })
}

fn blocked(sent: bool, optional: bool) -> Body {
    let (address, onward) = ("a•••@example.works".to_owned(), "blocked".to_owned());
    Body::Blocked(BlockedView { form: form(&[]), address, sent, optional, onward })
}

fn reset_void(again: Option<&str>) -> Body {
    Body::ResetVoid(ResetVoidView { again: again.map(str::to_owned), reference: Some(reference()) })
}

fn wait(seconds: i64) -> Body {
    let now = Time::from_unix(1_795_442_700);
    let until = Time::from_unix(now.unix() + seconds);
    Body::Wait(WaitView { until, now, retry: Some("identify".to_owned()), reference: Some(reference()) })
}

fn refused(refusal: RefusalReason, detail: Option<&'static str>) -> Body {
    Body::Refused(RefusedView {
        refusal,
        detail: detail.map(Into::into),
        reference: Some(reference()),
        back: None,
    })
}

fn form_post() -> Body {
    let fields = [("code", "c0de"), ("state", "\"><script>alert(1)</script>"), ("iss", "https://id.test")];
    Body::FormPost(FormPostView {
        application: "Shop".to_owned(),
        action: "https://shop.example.test/callback".to_owned(),
        fields: fields.map(|(name, value)| (name.into(), value.to_owned())).into(),
    })
}

/// A name and a body for every page and every state of it.
pub(crate) fn bodies() -> Vec<(&'static str, Body)> {
    let steps = [signing_in(), second_factors::bodies(), enrolling(), others(), upstreams()];
    steps.into_iter().chain([notices(), resets()]).flatten().collect()
}

/// The pages of who signs in upstream.
fn upstreams() -> Vec<(&'static str, Body)> {
    use Problem::{InvitationWrong, UpstreamRefused, UpstreamUnavailable};
    vec![
        ("identify-upstream", identify_upstream(false, &[])),
        ("identify-upstream-remembered", identify_upstream(true, &[])),
        ("identify-upstream-away", identify_upstream(true, &[UpstreamUnavailable])),
        ("identify-upstream-refused", identify_upstream(false, &[UpstreamRefused])),
        ("link", link(&[])),
        ("link-wrong", link(&[InvitationWrong])),
        ("onward", onward()),
        ("upstream-proof", upstream_proof(Duty::Administrator, true)),
        ("upstream-proof-tenant", upstream_proof(Duty::Tenant, false)),
        ("upstream-proof-application", upstream_proof(Duty::Application, true)),
        ("notice-upstream", notice_upstream(Some("https://portal.north.test/2fa"))),
        ("notice-upstream-nowhere", notice_upstream(None)),
    ]
}

/// The page on which the user says who they are.
fn signing_in() -> Vec<(&'static str, Body)> {
    use Problem::{LoginFailed, Missing, PasskeySignInFailed, StartedAgain};
    let all_missing = [Missing(Field::Tenant), Missing(Field::Username), Missing(Field::Password)];
    vec![
        ("identify", identify(Some(""), "", &[])),
        ("identify-fixed", identify(None, "", &[])),
        ("identify-hinted", identify(None, "anna", &[])),
        ("identify-failed", identify(Some("example.works"), "anna", &[LoginFailed])),
        ("identify-missing", identify(Some(""), "", &all_missing)),
        ("identify-again", identify(None, "anna", &[StartedAgain])),
        ("identify-passkey", identify_or_passkey(&[])),
        ("identify-passkey-failed", identify_or_passkey(&[PasskeySignInFailed])),
    ]
}

/// The pages of a first enrolment.
fn enrolling() -> Vec<(&'static str, Body)> {
    use Problem::{CodeWrong, DestinationAgain, Invalid, Missing, PasskeyWrong, SecretRenewed, TooManyCodes};
    vec![
        ("desktop", desktop("pc-anna", &[])),
        ("desktop-invalid", desktop("my computer!", &[Invalid(Field::PersonalDesktop)])),
        ("choose-method", choose_method(Duty::Tenant, &[])),
        ("choose-method-missing", choose_method(Duty::Chosen, &[Missing(Field::Method)])),
        ("enrol", enrol(Duty::Administrator, &[])),
        ("enrol-tenant", enrol(Duty::Tenant, &[SecretRenewed])),
        ("enrol-application", enrol(Duty::Application, &[])),
        ("enrol-replacement", enrol(Duty::Replacement, &[])),
        ("enrol-chosen", enrol(Duty::Chosen, &[Missing(Field::Code)])),
        ("phone", phone("", &[])),
        ("phone-missing", phone("", &[Missing(Field::Country), Missing(Field::PhoneNumber)])),
        ("phone-invalid", phone("110", &[Invalid(Field::PhoneNumber)])),
        ("phone-again", phone("0151 12345678", &[DestinationAgain])),
        ("email", email("anna@example.test", &[])),
        ("email-invalid", email("anna@", &[Invalid(Field::Email)])),
        ("confirm-code", confirm_code(sent(Channel::Sms, true, 60), &[])),
        ("confirm-code-wrong", confirm_code(sent(Channel::Mail, true, 0), &[CodeWrong])),
        ("confirm-code-held", confirm_code(sent(Channel::Mail, false, 1800), &[TooManyCodes])),
        ("enrol-passkey", enrol_passkey(Duty::Tenant, &[])),
        ("enrol-passkey-wrong", enrol_passkey(Duty::Chosen, &[PasskeyWrong])),
    ]
}

/// The other pages on which the user does something.
fn others() -> Vec<(&'static str, Body)> {
    use Problem::{Missing, Stale};
    vec![
        ("recovery-codes", recovery_codes(&[])),
        ("recovery-codes-missing", recovery_codes(&[Missing(Field::Stored)])),
        ("notice", notice(&[Stale], None)),
        ("consent", consent()),
        ("choose-account", choose_account(Some("Anna Keller"))),
        ("choose-account-nameless", choose_account(None)),
        ("confirm-sign-out", confirm_sign_out(None)),
        ("confirm-sign-out-asked", confirm_sign_out(Some(application()))),
    ]
}

/// The pages that say something and, at most, offer a way on.
fn notices() -> Vec<(&'static str, Body)> {
    vec![
        ("signed-in", Body::SignedIn(SignedInView { account: "anna".to_owned() })),
        ("signed-out", Body::SignedOut(SignedOutView { back: Some(back()) })),
        ("wait", wait(290)),
        ("wait-one", wait(1)),
        ("expired", Body::Expired(ExpiredView { back: Some(back()), reference: None })),
        ("expired-lost", Body::Expired(ExpiredView { back: None, reference: Some(reference()) })),
        ("refused", refused(RefusalReason::Request, Some("redirect_uri is not registered"))),
        ("refused-form", refused(RefusalReason::Form, None)),
        ("refused-not-found", refused(RefusalReason::NotFound, None)),
        ("refused-no-method", refused(RefusalReason::NoMethod, None)),
        ("refused-internal", refused(RefusalReason::Internal, None)),
        ("form-post", form_post()),
        ("busy", Body::Busy(BusyView { retry: Some("identify".to_owned()) })),
    ]
}

/// The pages on the way back in.
fn resets() -> Vec<(&'static str, Body)> {
    use Problem::{Missing, NewPassword as Fault};
    vec![
        ("forgotten", forgotten(Some("example.works"), &[])),
        ("forgotten-fixed", forgotten(None, &[])),
        ("forgotten-missing", forgotten(Some(""), &[Missing(Field::Tenant), Missing(Field::Account)])),
        ("reset-sent", Body::ResetSent(ResetSentView { login: Some("identify".to_owned()) })),
        ("reset-sent-alone", Body::ResetSent(ResetSentView { login: None })),
        ("new-password", new_password(false, &[])),
        ("new-password-administrator", new_password(true, &[])),
        ("new-password-short", new_password(true, &[Fault(PasswordFault::TooShort(12))])),
        ("new-password-long", new_password(false, &[Fault(PasswordFault::TooLong)])),
        ("new-password-guessable", new_password(false, &[Fault(PasswordFault::Guessable)])),
        ("new-password-unchanged", new_password(false, &[Fault(PasswordFault::Unchanged)])),
        ("new-password-different", new_password(false, &[Fault(PasswordFault::Different)])),
        ("blocked", blocked(false, false)),
        ("blocked-sent", blocked(true, false)),
        ("blocked-optional", blocked(false, true)),
        ("refused-no-activation", refused(RefusalReason::NoActivation, None)),
        ("refused-too-many-waiting", refused(RefusalReason::TooManyWaiting, None)),
        ("reset-done", Body::ResetDone(ResetDoneView { login: Some("identify".to_owned()), back: None })),
        ("reset-done-elsewhere", Body::ResetDone(ResetDoneView { login: None, back: Some(back()) })),
        ("reset-done-alone", Body::ResetDone(ResetDoneView { login: None, back: None })),
        ("reset-void", reset_void(Some("/reset"))),
        ("reset-void-mailless", reset_void(None)),
        ("refused-no-reset", refused(RefusalReason::NoReset, None)),
    ]
}
