//! Sign-out started by an application (OpenID Connect RP-Initiated Logout 1.0), and its pages.
//!
//! The session ends without a question if the request carries both an ID token that tells of it and its cookie. Without
//! the ID token any site could have made the link, so the user is asked, and stays here afterwards. Without the cookie it
//! is not known to be the user's browser that asks, and nothing is ended, unless the client may do so from its back end.
//!
//! A form on another site brings no cookies that are `SameSite=Lax`. So a POST is answered with a redirect to the same
//! address with the same parameters, which brings them.

use axum::body::Bytes;
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::Response;

use super::finish::see_other;
use super::visitor::Visitor;
use crate::account;
use crate::domain::client::Client;
use crate::domain::event::Event;
use crate::domain::ids::{SessionId, UserId};
use crate::domain::session::Session;
use crate::http::{Cookies, Internal, cookies, form_token, is_foreign_post, is_form_token};
use crate::protocol::logout::{self, LogoutError, LogoutRequest};
use crate::protocol::parameters::Parameters;
use crate::storage::{sessions, users};
use crate::views::{Application, Body, ConfirmSignOut, Form, Problem, SignedIn, SignedOut, WayBack};

/// The name that the form's token is bound to, beside the session.
const FORM: &str = "logout";

/// `GET` and `POST /logout`
pub(super) async fn logout(
    visitor: Visitor,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let is_posted = method == Method::POST;
    let raw = if is_posted { &body } else { uri.query().unwrap_or_default().as_bytes() };
    let answer = match Parameters::parse(raw) {
        Err(error) => return visitor.faulty(error),
        Ok(form) if is_posted && form.get("csrf").is_some() => {
            if is_foreign_post(&headers, &visitor.issuer) {
                return visitor.foreign_form();
            }
            match Parameters::of_page(raw) {
                Ok(form) => confirmed(&visitor, &form).await,
                Err(error) => return visitor.faulty(error),
            }
        }
        Ok(parameters) if is_posted => return see_other(&again(&visitor, &parameters)),
        Ok(parameters) => match logout::parse(&visitor.idp, &visitor.issuer, &parameters).await {
            Ok(request) => asked(&visitor, request).await,
            Err(LogoutError::Refused(error)) => return visitor.faulty(error),
            Err(LogoutError::Internal(error)) => Err(error),
        },
    };
    answer.unwrap_or_else(|error| visitor.failed(&error))
}

/// An application asks.
async fn asked(visitor: &Visitor, request: LogoutRequest) -> Result<Response, Internal> {
    let here = session(visitor).await?;
    let LogoutRequest::Hinted { client, user, session, redirect, from_backend } = request else {
        return match here {
            Some(session) => confirm(visitor, &session, None, None).await,
            None => Ok(signed_out(visitor, None)),
        };
    };
    match here {
        Some(here) if here.id == session => {
            end(visitor, &user, &session).await?;
            Ok(forget(visitor, left(visitor, &client, redirect)))
        }
        // Another user or another session than the hint's: the user at the browser decides.
        Some(other) => confirm(visitor, &other, Some(&client), None).await,
        None if from_backend => {
            end(visitor, &user, &session).await?;
            Ok(left(visitor, &client, redirect))
        }
        None => {
            let name = client.name_in(visitor.stranger().locale);
            let there = |address| WayBack { name: name.to_owned(), address };
            let back = redirect.map(there).or_else(|| visitor.way_back_to(&client));
            Ok(signed_out(visitor, back))
        }
    }
}

/// What follows once the session is over.
fn left(visitor: &Visitor, client: &Client, redirect: Option<String>) -> Response {
    match redirect {
        Some(address) => see_other(&address),
        None => signed_out(visitor, visitor.way_back_to(client)),
    }
}

/// The user has answered our own question.
async fn confirmed(visitor: &Visitor, form: &Parameters) -> Result<Response, Internal> {
    let Some(session) = session(visitor).await? else { return Ok(signed_out(visitor, None)) };
    let token = form.get("csrf").unwrap_or_default();
    if !is_form_token(&visitor.idp, &session.cookie, FORM, token) {
        return confirm(visitor, &session, None, Some(Problem::Stale)).await;
    }
    if form.get("confirm").is_none() {
        let account = account(visitor, &session.user).await?;
        return Ok(visitor.notice(StatusCode::OK, Body::SignedIn(SignedIn { account })));
    }
    end(visitor, &session.user, &session.id).await?;
    Ok(forget(visitor, signed_out(visitor, None)))
}

async fn session(visitor: &Visitor) -> Result<Option<Session>, Internal> {
    let Some(cookie) = visitor.cookies().hash(Cookies::SESSION) else { return Ok(None) };
    let mut reader = visitor.idp.db().read();
    let now = visitor.idp.now();
    Ok(sessions::by_cookie(&mut reader.tx(), &visitor.issuer.id, &cookie, now).await?)
}

/// Ends a session and what was given out in it for as long as it lasts.
async fn end(visitor: &Visitor, user: &UserId, session: &SessionId) -> Result<(), Internal> {
    let (id, now) = (session.clone(), visitor.idp.now());
    let ended = visitor.idp.db().write(move |tx| {
        let id = id.clone();
        Box::pin(async move { account::sessions::sign_out(tx, &id, now).await })
    });
    if ended.await? {
        visitor.idp.observe(&Event::SignedOut { issuer: visitor.issuer.id.clone(), user: user.clone() });
    }
    Ok(())
}

async fn confirm(
    visitor: &Visitor,
    session: &Session,
    client: Option<&Client>,
    problem: Option<Problem>,
) -> Result<Response, Internal> {
    let token = form_token(&visitor.idp, &session.cookie, FORM);
    let mut form = Form::new(address(visitor), token.as_str());
    form.problems.extend(problem);
    let page = ConfirmSignOut {
        form,
        account: account(visitor, &session.user).await?,
        application: client.map(|client| Application::of(client, visitor.stranger().locale)),
    };
    let status = if problem.is_some() { StatusCode::FORBIDDEN } else { StatusCode::OK };
    Ok(visitor.notice(status, Body::ConfirmSignOut(page)))
}

/// The name that the user signs in with.
async fn account(visitor: &Visitor, user: &UserId) -> Result<String, Internal> {
    let user = users::by_id(&mut visitor.idp.db().read().tx(), user).await?;
    Ok(user.map(|user| user.username.to_string()).unwrap_or_default())
}

/// The endpoint.
fn address(visitor: &Visitor) -> String {
    format!("{}/logout", visitor.issuer.url.path())
}

/// The same request as a GET.
fn again(visitor: &Visitor, parameters: &Parameters) -> String {
    let (address, query) = (address(visitor), parameters.encoded());
    if query.is_empty() { address } else { format!("{address}?{query}") }
}

fn signed_out(visitor: &Visitor, back: Option<WayBack>) -> Response {
    visitor.notice(StatusCode::OK, Body::SignedOut(SignedOut { back }))
}

/// Takes the session's cookie away.
fn forget(visitor: &Visitor, mut response: Response) -> Response {
    let cookie = cookies::remove(&visitor.issuer, Cookies::SESSION);
    response.headers_mut().extend(cookie.map(|cookie| (SET_COOKIE, cookie)));
    response
}
