//! Sign-out started by an application (OpenID Connect RP-Initiated Logout 1.0), and its pages.
//!
//! The session ends without a question if the request carries both an ID token that tells of it and its cookie. Without
//! the ID token any site could have made the link, so the user is asked. Without the cookie it is not known to be the
//! user's browser that asks, and nothing is ended, unless the client may do so from its back end.
//!
//! A request with `client_id` redirects to the client's registered address after the user's answer, or immediately if no
//! session exists. The page's form is posted to the address of the request, so that the redirect target is validated again.
//!
//! A form on another site brings no cookies that are `SameSite=Lax`. So a POST is answered with a redirect to the same
//! address with the same parameters, which brings them.

use axum::body::Bytes;
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::Response;

use super::page_request::PageRequest;
use crate::account;
use crate::audit::{self, Entry};
use crate::domain::audit::Actor;
use crate::domain::client::Client;
use crate::domain::error::OAuthError;
use crate::domain::event::Event;
use crate::domain::ids::{SessionId, UserId};
use crate::domain::session::Session;
use crate::http::{ContentSecurity, Cookies, cookies, form_token, is_foreign_post, is_form_token, see_other};
use crate::protocol::logout::{self, HintedSession, LogoutClient, LogoutError, LogoutRequest};
use crate::protocol::parameters::Parameters;
use crate::provider::Internal;
use crate::storage::{self, sessions, users};
use crate::views::{
    ApplicationInfo, Body, ConfirmSignOutView, Form, Problem, SignedInView, SignedOutView, WayBack,
};

/// The name that the form's token is bound to, beside the session.
const FORM: &str = "logout";

/// What the page's form needs to know of the request.
const CARRIED: [&str; 4] = ["client_id", "post_logout_redirect_uri", "state", "ui_locales"];

/// `GET` and `POST /logout`
pub(super) async fn logout(
    mut page_request: PageRequest,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    page_request.ui_locales = page_request.locale_shown().into_iter().collect();
    let answer = if method == Method::POST {
        posted(&mut page_request, &uri, &headers, &body).await
    } else {
        opened(&mut page_request, &uri).await
    };
    match answer {
        Ok(response) => response,
        Err(LogoutError::Refused(error)) => page_request.faulty(error),
        Err(LogoutError::Internal(error)) => page_request.failed(&error),
    }
}

/// An application asks.
async fn opened(page_request: &mut PageRequest, uri: &Uri) -> Result<Response, LogoutError> {
    let parameters = read(page_request, uri)?;
    let request = logout::parse(&page_request.idp, &page_request.issuer, &parameters).await?;
    Ok(asked(page_request, &parameters, request).await?)
}

/// A form was posted: our own, or an application's.
async fn posted(
    page_request: &mut PageRequest,
    uri: &Uri,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Response, LogoutError> {
    let form = Parameters::parse(body)?;
    if form.get("csrf").is_none() {
        return Ok(see_other(&address(page_request, &form)));
    }
    if is_foreign_post(headers, &page_request.issuer) {
        return Ok(page_request.foreign_form());
    }
    let form = form.each_field_once()?;
    let parameters = read(page_request, uri)?;
    let request = match logout::parse(&page_request.idp, &page_request.issuer, &parameters).await {
        // A registration that has changed since does not keep the user signed in.
        Err(LogoutError::Refused(_)) => LogoutRequest::Unproven,
        parsed => parsed?,
    };
    Ok(confirmed(page_request, &parameters, &form, request).await?)
}

/// The request in an address. Its pages are in the language that it asks for.
fn read(page_request: &mut PageRequest, uri: &Uri) -> Result<Parameters, OAuthError> {
    let parameters = Parameters::parse(uri.query().unwrap_or_default().as_bytes())?;
    page_request.ui_locales.splice(0..0, parameters.ui_locales());
    Ok(parameters)
}

async fn asked(
    page_request: &PageRequest,
    parameters: &Parameters,
    request: LogoutRequest,
) -> Result<Response, Internal> {
    match (request, session(page_request).await?) {
        (LogoutRequest::Hinted(by, hint), here) => hinted(page_request, parameters, by, hint, here).await,
        (request, Some(here)) => SignOutQuestion::new(parameters, &request).ask(page_request, &here).await,
        (request, None) => Ok(done(page_request, request)),
    }
}

/// A client asks that showed an ID token.
async fn hinted(
    page_request: &PageRequest,
    parameters: &Parameters,
    by: LogoutClient,
    hint: HintedSession,
    here: Option<Session>,
) -> Result<Response, Internal> {
    let HintedSession { user, session, from_backend, is_named } = hint;
    match here {
        Some(here) if here.id == session => {
            end(page_request, &user, &session).await?;
            Ok(forget(page_request, left(page_request, by)))
        }
        // Another user or another session than the hint's: the user at the browser decides.
        Some(other) if is_named => {
            SignOutQuestion::new(parameters, &LogoutRequest::Named(by)).ask(page_request, &other).await
        }
        Some(other) => {
            let client = Some(by.client.as_ref());
            SignOutQuestion { parameters, client, leads_away: false, problem: None }
                .ask(page_request, &other)
                .await
        }
        None if from_backend => {
            end(page_request, &user, &session).await?;
            Ok(left(page_request, by))
        }
        None if is_named => Ok(left(page_request, by)),
        None => {
            let name = by.client.name_in(page_request.unknown_reader().locale);
            let there = |address| WayBack { name: name.to_owned(), address };
            let back = by.redirect.map(there).or_else(|| page_request.way_back_to(&by.client));
            Ok(signed_out(page_request, back))
        }
    }
}

/// The response once no session is left.
fn done(page_request: &PageRequest, request: LogoutRequest) -> Response {
    match request {
        LogoutRequest::Named(by) => left(page_request, by),
        _ => signed_out(page_request, None),
    }
}

/// Sends the browser on, or says that the user is signed out.
fn left(page_request: &PageRequest, by: LogoutClient) -> Response {
    match by.redirect {
        Some(address) => see_other(&address),
        None => signed_out(page_request, page_request.way_back_to(&by.client)),
    }
}

/// The user has answered our own question.
async fn confirmed(
    page_request: &PageRequest,
    parameters: &Parameters,
    form: &Parameters,
    request: LogoutRequest,
) -> Result<Response, Internal> {
    let Some(session) = session(page_request).await? else { return Ok(done(page_request, request)) };
    let token = form.get("csrf").unwrap_or_default();
    if !is_form_token(page_request.idp.sealer(), &session.cookie, FORM, token) {
        let question =
            SignOutQuestion { problem: Some(Problem::Stale), ..SignOutQuestion::new(parameters, &request) };
        return question.ask(page_request, &session).await;
    }
    if form.get("confirm").is_none() {
        let account = account(page_request, &session.user).await?;
        return Ok(page_request.notice(StatusCode::OK, Body::SignedIn(SignedInView { account })));
    }
    end(page_request, &session.user, &session.id).await?;
    Ok(forget(page_request, done(page_request, request)))
}

async fn session(page_request: &PageRequest) -> Result<Option<Session>, Internal> {
    let Some(cookie) = page_request.cookies().hash(Cookies::SESSION) else { return Ok(None) };
    let mut reader = page_request.idp.db().read();
    let now = page_request.idp.now();
    Ok(sessions::by_cookie(&mut reader.tx(), &page_request.issuer.id, &cookie, now).await?)
}

/// Ends a session and what was given out in it for as long as it lasts.
async fn end(page_request: &PageRequest, user: &UserId, session: &SessionId) -> Result<(), Internal> {
    let (id, now) = (session.clone(), page_request.idp.now());
    let event = Event::SignedOut { issuer: page_request.issuer.id.clone(), user: user.clone() };
    let entry = Entry::new(now, Actor::User(user.clone()), event);
    let entry = entry.with_network(page_request.network.as_deref());
    let ended = page_request.idp.db().write(move |tx| {
        let id = id.clone();
        let entry = entry.clone();
        Box::pin(async move {
            if account::sessions::sign_out(tx, &id, now).await? {
                audit::record(tx, entry)?;
            }
            Ok(())
        })
    });
    match ended.await {
        // A HEAD is answered as if, and changes nothing.
        Err(storage::Error::ReadOnly) => Ok(()),
        ended => Ok(ended?),
    }
}

/// The page that asks whether to sign out.
struct SignOutQuestion<'a> {
    /// The request; the form is posted to its address.
    parameters: &'a Parameters,
    /// The application that the page names.
    client: Option<&'a Client>,
    /// Whether the answer may lead to an address of the application.
    leads_away: bool,
    /// What was wrong with the last answer.
    problem: Option<Problem>,
}

impl<'a> SignOutQuestion<'a> {
    fn new(parameters: &'a Parameters, request: &'a LogoutRequest) -> Self {
        let by = match request {
            LogoutRequest::Named(by) => Some(by),
            LogoutRequest::Hinted(..) | LogoutRequest::Unproven => None,
        };
        Self {
            parameters,
            client: by.map(|by| by.client.as_ref()),
            leads_away: by.is_some_and(|by| by.redirect.is_some()),
            problem: None,
        }
    }

    async fn ask(self, page_request: &PageRequest, session: &Session) -> Result<Response, Internal> {
        let token = form_token(page_request.idp.sealer(), &session.cookie, FORM);
        let mut form = Form::new(address(page_request, &self.parameters.only(&CARRIED)), token.as_str());
        form.problems.extend(self.problem);
        let page = ConfirmSignOutView {
            form,
            account: account(page_request, &session.user).await?,
            application: self
                .client
                .map(|client| ApplicationInfo::of(client, page_request.unknown_reader().locale)),
        };
        let status = if self.problem.is_some() { StatusCode::FORBIDDEN } else { StatusCode::OK };
        let security = if self.leads_away { ContentSecurity::Leaving } else { ContentSecurity::Own };
        Ok(page_request.page(status, &page_request.unknown_reader(), Body::ConfirmSignOut(page), security))
    }
}

/// The name that the user signs in with.
async fn account(page_request: &PageRequest, user: &UserId) -> Result<String, Internal> {
    let user = users::by_id(&mut page_request.idp.db().read().tx(), user).await?;
    Ok(user.map(|user| user.username.to_string()).unwrap_or_default())
}

/// The endpoint with these parameters.
fn address(page_request: &PageRequest, parameters: &Parameters) -> String {
    let (address, query) = (format!("{}/logout", page_request.issuer.url.path()), parameters.encoded());
    if query.is_empty() { address } else { format!("{address}?{query}") }
}

fn signed_out(page_request: &PageRequest, back: Option<WayBack>) -> Response {
    page_request.notice(StatusCode::OK, Body::SignedOut(SignedOutView { back }))
}

/// Takes the session's cookie away.
fn forget(page_request: &PageRequest, mut response: Response) -> Response {
    let cookie = cookies::remove(&page_request.issuer, Cookies::SESSION);
    response.headers_mut().extend(cookie.map(|cookie| (SET_COOKIE, cookie)));
    response
}
