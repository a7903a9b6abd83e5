//! The sign-in: tenant domain, user name and password on one page (SEED1-14).

use futures_util::FutureExt;

use crate::account::passwords::{PasswordProof, PasswordSignIn, SignInCheck};
use crate::crypto::random;
use crate::domain::event::{Event, LoginFailure};
use crate::domain::fact::FactKind;
use crate::domain::form::Problem;
use crate::domain::interaction::{FormInput, RefusalCause};
use crate::domain::policy::Need;
use crate::domain::tenant::TenantDomain;
use crate::http::Cookies;
use crate::interaction::login::trust;
use crate::interaction::login::{Login, Outcome};
use crate::interaction::step::links::FIRST;
use crate::interaction::step::passkeys::sign_in_offer;
use crate::interaction::step::refusals::missing;
use crate::interaction::step::{Showing, Step, StepView, Submitting};
use crate::protocol::parameters::Parameters;
use crate::provider::Internal;
use crate::storage::trusted_browsers;
use crate::storage::upstreams::StoredUpstream;
use crate::views::{self, ApplicationInfo, Body, Field, Form, UpstreamChoice};

/// Maximum length of a name that is kept for the page; user names are shorter.
const KEPT: usize = 128;

pub(super) struct IdentifyStep;

impl Step for IdentifyStep {
    fn name(&self) -> &'static str {
        FIRST
    }

    fn meets(&self, need: &Need) -> bool {
        matches!(need, Need::FirstFactor { .. })
    }

    fn show<'a>(&'a self, login: &'a Login, _: &'a Need, form: Form) -> Showing<'a> {
        async move {
            let passkey = sign_in_offer(login).await?;
            let (tenant, username) = names(login);
            let application = ApplicationInfo::of(login.validated.client(), login.locale());
            let tenant = login.page_request.tenant.is_none().then_some(tenant);
            let forgotten = login.forgotten();
            let (remembered, upstreams) = elsewhere(login).await?;
            Ok(StepView::Page(Body::Identify(views::IdentifyView {
                form,
                application,
                tenant,
                username,
                forgotten,
                upstreams,
                remembered,
                passkey,
            })))
        }
        .boxed()
    }

    fn submit<'a>(&'a self, login: Login, _: &'a Need, form: &'a Parameters) -> Submitting<'a> {
        sign_in(login, form).boxed()
    }
}

/// Where people may sign in instead: where this browser's user did last, and the others (SEED1-13).
async fn elsewhere(login: &Login) -> Result<(Option<UpstreamChoice>, Vec<UpstreamChoice>), Internal> {
    let offered = login.upstreams().await?;
    let last = login.page_request.cookies().value(Cookies::UPSTREAM);
    let is_last = |stored: &&StoredUpstream| last == Some(stored.upstream.name.as_str());
    let choice = |stored: &StoredUpstream| {
        let (title, address) = (stored.upstream.title.clone(), login.way_to(&stored.upstream));
        UpstreamChoice { title, address }
    };
    let others = offered.iter().filter(|stored| !is_last(stored)).map(choice).collect();
    Ok((offered.iter().find(is_last).map(choice), others))
}

/// What the fields hold before anything is typed: what was typed last, what the client hints at, or who is signed in.
fn names(login: &Login) -> (String, String) {
    let FormInput { tenant, username, .. } = login.input();
    if !tenant.is_empty() || !username.is_empty() {
        return (tenant, username);
    }
    if let Some(hint) = &login.request().login_hint {
        return hinted(hint, login.page_request.tenant.as_ref().map(|tenant| &tenant.domain));
    }
    let login_user = login.user.as_ref();
    login_user
        .map(|login_user| (login_user.tenant.domain.to_string(), login_user.user.username.to_string()))
        .unwrap_or_default()
}

/// `name@tenant-domain` fills both fields. It is read by its form alone: whether there is such a tenant is not told.
fn hinted(hint: &str, fixed: Option<&TenantDomain>) -> (String, String) {
    let parts =
        hint.rsplit_once('@').and_then(|(name, domain)| Some((name, TenantDomain::parse(domain).ok()?)));
    match parts {
        Some((name, domain)) if fixed.is_none_or(|fixed| *fixed == domain) => {
            (domain.to_string(), kept(name))
        }
        _ => (String::new(), kept(hint)),
    }
}

fn kept(text: &str) -> String {
    text.chars().take(KEPT).collect()
}

async fn sign_in(mut login: Login, form: &Parameters) -> Result<(Login, Outcome), Internal> {
    let typed = |field: Field| form.get(field.name()).unwrap_or_default();
    let fixed = login.page_request.tenant.clone();
    let (tenant, username) = (typed(Field::Tenant), typed(Field::Username));
    let asked =
        [Field::Tenant, Field::Username, Field::Password].into_iter().skip(usize::from(fixed.is_some()));
    let empty: Vec<_> = asked.filter(|&field| typed(field).trim().is_empty()).collect();
    let keep_names = |login: &mut Login| login.keep_names(&kept(tenant), &kept(username));
    if !empty.is_empty() {
        keep_names(&mut login);
        return missing(login, FIRST, &empty).await;
    }
    let page_request = std::sync::Arc::clone(&login.page_request);
    let sign_in = PasswordSignIn {
        fixed: fixed.as_ref(),
        tenant,
        username,
        password: typed(Field::Password),
        network: page_request.network.as_deref(),
        browser: page_request.cookies().value(Cookies::KNOWN),
    };
    let (cause, reason) = match login.idp().account().check_password(&sign_in).await? {
        SignInCheck::Right(proof) => return proved(login, proof, form).await,
        SignInCheck::Wrong(reason) => (Problem::SignInFailed.into(), reason),
        SignInCheck::Locked(until) => (RefusalCause::Locked(until), LoginFailure::Locked),
    };
    keep_names(&mut login);
    login.typed_name(&kept(tenant), &kept(username));
    failed(login, cause, reason).await
}

async fn proved(
    mut login: Login,
    proof: PasswordProof,
    form: &Parameters,
) -> Result<(Login, Outcome), Internal> {
    login.identify(&proof.user).await?;
    let at = login.proof_time(&proof.user);
    login.interaction.progress.password_proved(&proof.user, proof.epoch, at);
    let browser = trust::recognised(&login, form);
    login
        .write(move |mut login, tx| {
            let (proof, browser) = (proof.clone(), browser.clone());
            async move {
                proof.consume(tx).await?;
                if let Some(browser) = browser
                    && trusted_browsers::touch(tx, &browser, login.now).await?
                {
                    login.learn_at(&proof.user, FactKind::TrustedBrowser(browser), at);
                }
                Ok(login)
            }
            .boxed()
        })
        .await
}

/// Every failure looks alike; why it was one, the observer learns under the reference that the page shows.
async fn failed(
    mut login: Login,
    cause: RefusalCause,
    reason: LoginFailure,
) -> Result<(Login, Outcome), Internal> {
    let reference = random::reference();
    login.refuse(FIRST, cause, Some(reference.clone()));
    login.tell(Event::LoginFailed { issuer: login.interaction.issuer.clone(), reason, reference });
    login.store().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_fills_what_it_names() {
        let domain = TenantDomain::parse("a.sms").unwrap();
        let both = |tenant: &str, name: &str| (tenant.to_owned(), name.to_owned());
        assert_eq!(hinted("anna@A.sms", None), both("a.sms", "anna"));
        assert_eq!(hinted("anna@a.sms", Some(&domain)), both("a.sms", "anna"));
        assert_eq!(hinted("anna@b.sms", Some(&domain)), both("", "anna@b.sms"));
        assert_eq!(hinted("anna", None), both("", "anna"));
        assert_eq!(hinted("anna@", None), both("", "anna@"));
        assert_eq!(hinted(&"x".repeat(1000), None).1.len(), KEPT);
    }
}
