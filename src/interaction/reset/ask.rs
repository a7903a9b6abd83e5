//! Who has forgotten the password? Whatever is typed, the answer is the same, and costs the same (SEED1-16).

use axum::body::Bytes;
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use super::session::waiting_login;
use crate::account::reset_requests::ResetRequest;
use crate::account::resets::Home;
use crate::domain::ids::{ClientId, Hash, InteractionId};
use crate::http::{ContentSecurity, form_token, is_foreign_post, is_form_token, query_value, see_other};
use crate::interaction::addresses::carrying;
use crate::interaction::page_request::PageRequest;
use crate::protocol::parameters::Parameters;
use crate::provider::Internal;
use crate::storage::reset_requests;
use crate::views::{
    Body, ExpiredView, Field, ForgottenView, Form, Problem, RefusalReason, RefusedView, ResetSentView,
};

/// The name that the form's token is bound to, beside the browser.
const FORM: &str = "reset";

/// `GET /reset`
pub(super) async fn show(page_request: PageRequest) -> Response {
    if !page_request.idp.account().mails_resets(page_request.tenant.as_deref()) {
        return unavailable(&page_request);
    }
    let (browser, cookie) = page_request.known_browser();
    let mut response = page(&page_request, &browser, None, Vec::new());
    response.headers_mut().extend(cookie.map(|cookie| (SET_COOKIE, cookie)));
    response
}

/// `POST /reset`
pub(super) async fn submit(page_request: PageRequest, headers: HeaderMap, body: Bytes) -> Response {
    if is_foreign_post(&headers, &page_request.issuer) {
        return page_request.foreign_form();
    }
    if !page_request.idp.account().mails_resets(page_request.tenant.as_deref()) {
        return unavailable(&page_request);
    }
    match Parameters::of_page(&body) {
        Ok(form) => take(&page_request, &form).await.unwrap_or_else(|error| page_request.failed(&error)),
        Err(error) => page_request.faulty(error),
    }
}

/// `GET /reset/sent`
pub(super) async fn sent(page_request: PageRequest) -> Response {
    match waiting_login(&page_request, from(&page_request).0.as_ref()).await {
        Ok(login) => page_request.notice(StatusCode::OK, Body::ResetSent(ResetSentView { login })),
        Err(error) => page_request.failed(&error),
    }
}

async fn take(page_request: &PageRequest, form: &Parameters) -> Result<Response, Internal> {
    let (login, client) = from(page_request);
    if form.get("cancel").is_some() {
        if let Some(login) = waiting_login(page_request, login.as_ref()).await? {
            return Ok(see_other(&login));
        }
        let back = page_request.way_back().await;
        return Ok(page_request.notice(StatusCode::OK, Body::Expired(ExpiredView { back, reference: None })));
    }
    let browser = page_request.browser();
    let token = form.get("csrf").unwrap_or_default();
    let Some(browser) =
        browser.filter(|browser| is_form_token(page_request.idp.sealer(), browser, FORM, token))
    else {
        page_request.refuse("stale_form", None);
        let (browser, cookie) = page_request.known_browser();
        let mut response = page(page_request, &browser, Some(form), vec![Problem::Stale]);
        *response.status_mut() = StatusCode::FORBIDDEN;
        response.headers_mut().extend(cookie.map(|cookie| (SET_COOKIE, cookie)));
        return Ok(response);
    };
    let typed = |field: Field| form.get(field.name()).unwrap_or_default();
    let asked = [Field::Tenant, Field::Account].into_iter().skip(usize::from(page_request.tenant.is_some()));
    let empty: Vec<_> = asked.filter(|&field| typed(field).trim().is_empty()).map(Problem::Missing).collect();
    if !empty.is_empty() {
        return Ok(page(page_request, &browser, Some(form), empty));
    }
    let home =
        Home { issuer: page_request.issuer.id.clone(), url: page_request.issuer.url.clone(), login, client };
    let wish = page_request.idp.account().reset_request(&ResetRequest {
        home,
        fixed: page_request.tenant.as_ref().map(|tenant| tenant.id.clone()),
        tenant: typed(Field::Tenant).to_owned(),
        username: typed(Field::Account).to_owned(),
        network: page_request.network.clone(),
    })?;
    let written = page_request.idp.db().write(move |tx| {
        let wish = wish.clone();
        Box::pin(async move { reset_requests::insert(tx, &wish).await })
    });
    if !written.await? {
        tracing::warn!("too many wishes for reset mails wait: one is lost");
    }
    let query = page_request.uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    Ok(see_other(&format!("{}/reset/sent{query}", page_request.issuer.url.path())))
}

/// The login and the application that the page's address names.
fn from(page_request: &PageRequest) -> (Option<InteractionId>, Option<ClientId>) {
    let named = |name: &str| query_value(&page_request.uri, name);
    let login = named("login").and_then(|login| InteractionId::named(&login));
    (login, named("client_id").and_then(|client| ClientId::named(&client)))
}

fn page(
    page_request: &PageRequest,
    browser: &Hash,
    typed: Option<&Parameters>,
    problems: Vec<Problem>,
) -> Response {
    let (login, client) = from(page_request);
    let token = form_token(page_request.idp.sealer(), browser, FORM);
    let action = page_request.forgotten_address(login.as_ref().zip(client.as_ref()));
    let action = carrying(action, page_request.carried().as_deref());
    let form = Form::new(action, token.as_str());
    let typed = |field: Field| typed.and_then(|typed| typed.get(field.name())).unwrap_or_default().to_owned();
    let body = Body::Forgotten(ForgottenView {
        form: Form { problems, ..form },
        tenant: page_request.tenant.is_none().then(|| typed(Field::Tenant)),
        username: typed(Field::Account),
    });
    page_request.page(StatusCode::OK, &page_request.unknown_reader(), body, ContentSecurity::Leaving)
}

/// No mail can be sent, or the host keeps the passwords.
fn unavailable(page_request: &PageRequest) -> Response {
    let reference = Some(page_request.refuse("no_reset", None));
    let refused = RefusedView { refusal: RefusalReason::NoReset, detail: None, reference, back: None };
    page_request.notice(StatusCode::NOT_FOUND, Body::Refused(refused))
}
