//! The authorization endpoint: a request becomes a code, an error, or a login with pages (OpenID Connect Core §3.1.2).

use axum::body::Bytes;
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, Method, Uri};
use axum::response::Response;
use futures_util::FutureExt;

use super::login::{Due, Login, Outcome};
use super::page_request::PageRequest;
use super::step::links::FIRST;
use super::steps;
use super::waiting;
use crate::domain::ids::InteractionId;
use crate::http::see_other;
use crate::protocol::authorize::{self, AuthorizeError, Validated};
use crate::protocol::par;
use crate::provider::Internal;
use crate::storage::{self, interactions};

/// How often a request is evaluated that loses a race against another one of its browser.
const TRIES: usize = 2;

/// `GET` and `POST /authorize`
pub(super) async fn authorize(
    page_request: PageRequest,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let parameters = match authorize::parameters(&method, &uri, &headers, &body) {
        Ok(parameters) => parameters,
        Err(error) => return page_request.answer_error(error),
    };
    let validated = match authorize::validate(&page_request.idp, &page_request.issuer, &parameters).await {
        Ok(validated) => validated,
        Err(AuthorizeError::Begun(login)) => return go_on(page_request, &login).await,
        Err(error) => return page_request.answer_error(error),
    };
    let answer = if method == Method::POST {
        begin_unseen(page_request.clone(), validated).boxed().await
    } else {
        begin(page_request.clone(), validated).boxed().await
    };
    answer.unwrap_or_else(|error| page_request.failed(&error))
}

/// Answers a request that came with the browser's cookies.
///
/// The session may be ended after it was read and before anything is written, by a sign-out in another tab. Then nothing
/// is written, and the request is looked at again, without that session.
async fn begin(page_request: PageRequest, validated: Validated) -> Result<Response, Internal> {
    for _ in 0..TRIES {
        if let Some(response) = try_begin(page_request.clone(), validated.clone()).boxed().await? {
            return Ok(response);
        }
        if validated.pushed().is_some() {
            // Two came at once with one pushed request: the other one's login is found by asking again.
            break;
        }
    }
    Ok(see_other(page_request.uri.path_and_query().map_or("", |here| here.as_str())))
}

/// Answers at once where the session will do; otherwise stores the login for this browser and shows its first page.
/// `None`: another request of the browser was faster, and nothing is written.
async fn try_begin(page_request: PageRequest, validated: Validated) -> Result<Option<Response>, Internal> {
    let mut login = Login::begin(page_request.clone(), validated).boxed().await?;
    let (browser, cookie) = page_request.known_browser();
    login.interaction.browser = Some(browser);
    if let (Due::Refuse(code), None) = (login.next(), login.validated.pushed()) {
        login.refuse_at_once(code);
        return Ok(Some(steps::respond(&login, Outcome::Refused(code))));
    }
    let (login, outcome) = match waiting::store(login).await? {
        Ok(stored) => stored,
        Err(refused) => return Ok(Some(*refused)),
    };
    if matches!(outcome, Outcome::Conflict) {
        return Ok(None);
    }
    let mut response = steps::respond(&login, outcome);
    response.headers_mut().extend(cookie.filter(|_| login.stored).map(|cookie| (SET_COOKIE, cookie)));
    Ok(Some(response))
}

/// A form posted by the client's page comes without our cookies (`SameSite=Lax`), so no user is known yet: the login is
/// stored unbound, and its first page, which the browser *does* open with cookies, takes it from there.
async fn begin_unseen(page_request: PageRequest, validated: Validated) -> Result<Response, Internal> {
    let login = Login::begin(page_request, validated).boxed().await?;
    let network = login.interaction.network.as_ref();
    if network.is_some_and(|network| waiting::is_known_full(&login, network)) {
        return Ok(waiting::refused(&login.page_request));
    }
    let begun = login.clone();
    let insert = login.idp().db().write(move |tx| {
        let login = begun.clone();
        Box::pin(async move {
            login.claim_pushed_request(tx).await?;
            interactions::queue_insert(tx, &login.interaction)
        })
    });
    match insert.await {
        Err(storage::Error::Conflict) if is_full(&login).await? => Ok(waiting::refused(&login.page_request)),
        Err(storage::Error::Conflict) => Ok(login.page_request.faulty(par::void())),
        inserted => {
            inserted?;
            waiting::stored(&login).await?;
            Ok(see_other(&login.address(FIRST)))
        }
    }
}

/// Whether a login that could not be stored is one too many of its network.
async fn is_full(login: &Login) -> Result<bool, Internal> {
    match &login.interaction.network {
        Some(network) => waiting::found_full(login, network).await,
        None => Ok(false),
    }
}

/// A pushed request comes again: the browser that reloads finds the login that it began, any other browser finds nothing.
async fn go_on(page_request: PageRequest, login: &InteractionId) -> Response {
    match Login::resume(page_request.clone(), login.as_str()).boxed().await {
        Ok(Some(login)) if login.is_of(page_request.browser().as_ref()) => {
            see_other(&login.address(steps::current(&login)))
        }
        Ok(_) => page_request.faulty(par::void()),
        Err(error) => page_request.answer_error(error),
    }
}
