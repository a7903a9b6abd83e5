//! Who has forgotten the password? Whatever is typed, the answer is the same, and costs the same (SEED1-16).

use axum::body::Bytes;
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use super::holder::waiting_login;
use crate::account::reset_requests::ResetRequest;
use crate::account::resets::Home;
use crate::domain::ids::{ClientId, Hash, InteractionId};
use crate::http::{ContentSecurity, form_token, is_foreign_post, is_form_token};
use crate::interaction::finish::see_other;
use crate::interaction::visitor::PageRequest;
use crate::interaction::waiting;
use crate::protocol::authorize::respond::with_query;
use crate::protocol::parameters::Parameters;
use crate::provider::Internal;
use crate::storage::reset_requests;
use crate::views::{Body, Expired, Field, Forgotten, Form, Problem, Refusal, Refused, ResetSent};

/// The name that the form's token is bound to, beside the browser.
const FORM: &str = "reset";

/// The address of the page, from a login that waits or from nowhere.
pub(in crate::interaction) fn address(
    visitor: &PageRequest,
    from: Option<(&InteractionId, &ClientId)>,
) -> String {
    let page = format!("{}/reset", visitor.issuer.url.path());
    match from {
        None => page,
        Some((login, client)) => {
            with_query(&page, [("login", login.to_string()), ("client_id", client.to_string())])
        }
    }
}

/// `GET /reset`
pub(super) async fn show(visitor: PageRequest) -> Response {
    if !visitor.idp.account().mails_resets(visitor.tenant.as_deref()) {
        return unavailable(&visitor);
    }
    let (browser, cookie) = visitor.known_browser();
    let mut response = page(&visitor, &browser, None, Vec::new());
    response.headers_mut().extend(cookie.map(|cookie| (SET_COOKIE, cookie)));
    response
}

/// `POST /reset`
pub(super) async fn submit(visitor: PageRequest, headers: HeaderMap, body: Bytes) -> Response {
    if is_foreign_post(&headers, &visitor.issuer) {
        return visitor.foreign_form();
    }
    if !visitor.idp.account().mails_resets(visitor.tenant.as_deref()) {
        return unavailable(&visitor);
    }
    match Parameters::of_page(&body) {
        Ok(form) => take(&visitor, &form).await.unwrap_or_else(|error| visitor.failed(&error)),
        Err(error) => visitor.faulty(error),
    }
}

/// `GET /reset/sent`
pub(super) async fn sent(visitor: PageRequest) -> Response {
    match waiting_login(&visitor, from(&visitor).0.as_ref()).await {
        Ok(login) => visitor.notice(StatusCode::OK, Body::ResetSent(ResetSent { login })),
        Err(error) => visitor.failed(&error),
    }
}

async fn take(visitor: &PageRequest, form: &Parameters) -> Result<Response, Internal> {
    let (login, client) = from(visitor);
    if form.get("cancel").is_some() {
        if let Some(login) = waiting_login(visitor, login.as_ref()).await? {
            return Ok(see_other(&login));
        }
        let back = visitor.way_back().await;
        return Ok(visitor.notice(StatusCode::OK, Body::Expired(Expired { back, reference: None })));
    }
    let browser = visitor.browser();
    let token = form.get("csrf").unwrap_or_default();
    let Some(browser) = browser.filter(|browser| is_form_token(&visitor.idp, browser, FORM, token)) else {
        visitor.refuse("stale_form", None);
        let (browser, cookie) = visitor.known_browser();
        let mut response = page(visitor, &browser, Some(form), vec![Problem::Stale]);
        *response.status_mut() = StatusCode::FORBIDDEN;
        response.headers_mut().extend(cookie.map(|cookie| (SET_COOKIE, cookie)));
        return Ok(response);
    };
    let typed = |field: Field| form.get(field.name()).unwrap_or_default();
    let asked = [Field::Tenant, Field::Account].into_iter().skip(usize::from(visitor.tenant.is_some()));
    let empty: Vec<_> = asked.filter(|&field| typed(field).trim().is_empty()).map(Problem::Missing).collect();
    if !empty.is_empty() {
        return Ok(page(visitor, &browser, Some(form), empty));
    }
    let home = Home { issuer: visitor.issuer.id.clone(), url: visitor.issuer.url.clone(), login, client };
    let wish = visitor.idp.account().reset_request(&ResetRequest {
        home,
        fixed: visitor.tenant.as_ref().map(|tenant| tenant.id.clone()),
        tenant: typed(Field::Tenant).to_owned(),
        username: typed(Field::Account).to_owned(),
        network: visitor.network.clone(),
    })?;
    let written = visitor.idp.db().write(move |tx| {
        let wish = wish.clone();
        Box::pin(async move { reset_requests::insert(tx, &wish).await })
    });
    if !written.await? {
        tracing::warn!("too many wishes for reset mails wait: one is lost");
    }
    let query = visitor.uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    Ok(see_other(&format!("{}/reset/sent{query}", visitor.issuer.url.path())))
}

/// The login and the application that the page's address names.
fn from(visitor: &PageRequest) -> (Option<InteractionId>, Option<ClientId>) {
    let query = visitor.uri.query().unwrap_or_default();
    let named = |name: &str| {
        let mut pairs = url::form_urlencoded::parse(query.as_bytes());
        pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    };
    let login = named("login").and_then(|login| InteractionId::named(&login));
    (login, named("client_id").and_then(|client| ClientId::named(&client)))
}

fn page(
    visitor: &PageRequest,
    browser: &Hash,
    typed: Option<&Parameters>,
    problems: Vec<Problem>,
) -> Response {
    let (login, client) = from(visitor);
    let token = form_token(&visitor.idp, browser, FORM);
    let action = address(visitor, login.as_ref().zip(client.as_ref()));
    let action = waiting::carrying(action, waiting::carried_by(visitor).as_deref());
    let form = Form::new(action, token.as_str());
    let typed = |field: Field| typed.and_then(|typed| typed.get(field.name())).unwrap_or_default().to_owned();
    let body = Body::Forgotten(Forgotten {
        form: Form { problems, ..form },
        tenant: visitor.tenant.is_none().then(|| typed(Field::Tenant)),
        username: typed(Field::Account),
    });
    visitor.page(StatusCode::OK, &visitor.stranger(), body, ContentSecurity::Leaving)
}

/// No mail can be sent, or the host keeps the passwords.
fn unavailable(visitor: &PageRequest) -> Response {
    let reference = Some(visitor.refuse("no_reset", None));
    let refused = Refused { refusal: Refusal::NoReset, detail: None, reference, back: None };
    visitor.notice(StatusCode::NOT_FOUND, Body::Refused(refused))
}
