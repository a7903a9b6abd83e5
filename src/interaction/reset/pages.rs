//! The two handlers behind every page of a reset. Which page is due follows from the row; any other leads to it.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::Path;
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use futures_util::FutureExt;

use super::reply::{DONE, ENROL, PASSKEY, PASSWORD, RECOVERY, RECOVERY_CODES, Reply, SECOND_FACTOR};
use super::session::{ResetSession, void};
use super::{choose, enrol, link, prove};
use crate::domain::reset::Stage;
use crate::domain::time::Time;
use crate::http::{form_token, is_foreign_post, is_form_token, see_other};
use crate::interaction::ceremony_pages;
use crate::interaction::error_pages::retry_after;
use crate::interaction::page_request::PageRequest;
use crate::protocol::parameters::Parameters;
use crate::provider::Internal;
use crate::views::{Body, Form, Problem, ResetDoneView, WaitView};

/// The parts of a page's address. A tenant's issuer has its domain in front.
#[derive(Debug, serde::Deserialize)]
pub(super) struct ResetPageAddress {
    step: String,
}

/// The pages of a stage; one is shown first, others are reached by a link.
const fn steps(stage: Stage) -> &'static [&'static str] {
    match stage {
        Stage::Password => &[PASSWORD],
        Stage::SecondFactor => &[SECOND_FACTOR, PASSKEY, RECOVERY],
        Stage::Enrolment => &[ENROL],
        Stage::RecoveryCodes => &[RECOVERY_CODES],
        Stage::Done => &[DONE],
    }
}

/// Leads to the page that is due.
fn onward(session: &ResetSession) -> Response {
    let step = match session.reset.stage() {
        Stage::SecondFactor => prove::first(session),
        stage => steps(stage).first().copied().unwrap_or(PASSWORD),
    };
    see_other(&session.page_request.reset_address(step))
}

/// `GET /reset/{step}`
pub(super) async fn show(
    page_request: PageRequest,
    Path(ResetPageAddress { step }): Path<ResetPageAddress>,
) -> Response {
    let page_request = Arc::new(page_request);
    let answer = match ResetSession::load(&page_request).await {
        Ok(Some(session)) => open(&session, &step, &[]).await,
        Ok(None) => return void(&page_request),
        Err(error) => Err(error),
    };
    answer.unwrap_or_else(|error| page_request.failed(&error))
}

/// `POST /reset/{step}`
pub(super) async fn submit(
    page_request: PageRequest,
    Path(ResetPageAddress { step }): Path<ResetPageAddress>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if is_foreign_post(&headers, &page_request.issuer) {
        return page_request.foreign_form();
    }
    let form = match Parameters::of_page(&body) {
        Ok(form) => form,
        Err(error) => return page_request.faulty(error),
    };
    let page_request = Arc::new(page_request);
    let answer = match ResetSession::load(&page_request).await {
        Ok(Some(session)) => take(session, &step, &form).boxed().await,
        Ok(None) => return void(&page_request),
        Err(error) => Err(error),
    };
    answer.unwrap_or_else(|error| page_request.failed(&error))
}

/// Shows the page, or leads to the one that is due.
async fn open(session: &ResetSession, step: &str, problems: &[Problem]) -> Result<Response, Internal> {
    if !steps(session.reset.stage()).contains(&step) {
        return Ok(onward(session));
    }
    let token = form_token(session.idp().sealer(), &session.secret, &session.form_name());
    let action = session.page_request.reset_address(step);
    let form = Form { problems: problems.to_vec(), ..Form::new(action, token.as_str()) };
    let shown = match step {
        SECOND_FACTOR => prove::code_page(session, form).await?,
        PASSKEY => prove::passkey_page(session, form).await?,
        RECOVERY => Reply::Page(Box::new(prove::recovery_page(session, form))),
        ENROL => enrol::page(session, form).await?,
        RECOVERY_CODES => {
            let (ceremony, row) = (session.ceremony(), session.codes_row());
            let (idp, user) = (session.idp(), &session.user);
            Reply::Page(Box::new(ceremony_pages::recovery_codes(idp, ceremony, &row, user, form)?))
        }
        DONE => Reply::Page(Box::new(done(session).await?)),
        _ => Reply::Page(Box::new(ceremony_pages::new_password(&session.user, form))),
    };
    Ok(match shown {
        Reply::Page(body) => {
            let is_stale = problems.contains(&Problem::Stale);
            session.page(if is_stale { StatusCode::FORBIDDEN } else { StatusCode::OK }, *body)
        }
        Reply::Void => void(&session.page_request),
        _ => onward(session),
    })
}

async fn done(session: &ResetSession) -> Result<Body, Internal> {
    Ok(Body::ResetDone(ResetDoneView { login: session.login().await?, back: session.back().await? }))
}

/// Takes a post for the page that is due.
async fn take(session: ResetSession, step: &str, form: &Parameters) -> Result<Response, Internal> {
    if !steps(session.reset.stage()).contains(&step) {
        return Ok(onward(&session));
    }
    let token = form.get("csrf").unwrap_or_default();
    if !is_form_token(session.idp().sealer(), &session.secret, &session.form_name(), token) {
        session.page_request.refuse("stale_form", None);
        return open(&session, step, &[Problem::Stale]).await;
    }
    if form.get("cancel").is_some() {
        return leave(&session).await;
    }
    let page_request = Arc::clone(&session.page_request);
    let reply = match step {
        PASSWORD => choose::submit(session, form).await?,
        SECOND_FACTOR => prove::submit_code(session, form).await?,
        PASSKEY => Box::pin(prove::submit_passkey(session, form)).await?,
        RECOVERY => prove::submit_recovery(session, form).await?,
        ENROL => enrol::submit(session, form).await?,
        RECOVERY_CODES => enrol::stored(session, form).await?,
        _ => Reply::onward(session),
    };
    Ok(match reply {
        Reply::Page(body) => page_request.notice(StatusCode::OK, *body),
        Reply::Again(session, problems) => open(&session, step, &problems).await?,
        Reply::Onward(session) => onward(&session),
        Reply::Ticket(session, ticket) => {
            let mut response = onward(&session);
            let cookie = link::keep(&page_request, &ticket);
            response.headers_mut().extend(cookie.map(|cookie| (SET_COOKIE, cookie)));
            response
        }
        Reply::Locked(session, until) => locked(&session, step, until),
        Reply::Void => void(&page_request),
    })
}

fn locked(session: &ResetSession, step: &str, until: Time) -> Response {
    let retry = Some(session.page_request.reset_address(step));
    let wait = WaitView { until, now: session.now, retry, reference: None };
    let page = session.page(StatusCode::TOO_MANY_REQUESTS, Body::Wait(wait));
    retry_after(page, until.since(session.now))
}

/// Leads away from a reset that the user cancels. Nothing is used up: the link waits for as long as it would have.
async fn leave(session: &ResetSession) -> Result<Response, Internal> {
    Ok(match session.login().await? {
        Some(login) => see_other(&login),
        None => session.page_request.expired(StatusCode::OK).await,
    })
}
