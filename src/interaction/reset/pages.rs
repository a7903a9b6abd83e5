//! The two handlers behind every page of a reset. Which page is due follows from the row; any other leads to it.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use futures_util::FutureExt;

use super::session::{ResetSession, void};
use super::{choose, enrol, prove};
use crate::domain::reset::Stage;
use crate::http::{form_token, is_foreign_post, is_form_token, see_other};
use crate::interaction::page_request::PageRequest;
use crate::protocol::parameters::Parameters;
use crate::provider::Internal;
use crate::views::{Body, Form, Problem, ResetDoneView};

pub(super) const PASSWORD: &str = "password";
pub(super) const SECOND_FACTOR: &str = "second_factor";
pub(super) const PASSKEY: &str = "passkey";
pub(super) const RECOVERY: &str = "recovery";
pub(super) const ENROL: &str = "enrol";
pub(super) const RECOVERY_CODES: &str = "recovery_codes";
const DONE: &str = "done";

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
pub(super) fn onward(session: &ResetSession) -> Response {
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
pub(super) async fn open(
    session: &ResetSession,
    step: &str,
    problems: &[Problem],
) -> Result<Response, Internal> {
    if !steps(session.reset.stage()).contains(&step) {
        return Ok(onward(session));
    }
    let token = form_token(session.idp().sealer(), &session.secret, &session.form_name());
    let form = Form {
        problems: problems.to_vec(),
        ..Form::new(session.page_request.reset_address(step), token.as_str())
    };
    let body = match step {
        SECOND_FACTOR => match prove::second_factor(session, form).await? {
            Ok(body) => body,
            Err(answer) => return Ok(answer),
        },
        PASSKEY => match prove::passkey(session, form).await? {
            Ok(body) => body,
            Err(answer) => return Ok(answer),
        },
        RECOVERY => prove::recovery(session, form),
        ENROL => match enrol::page(session, form).await? {
            Ok(body) => body,
            Err(begun) => return Ok(begun),
        },
        RECOVERY_CODES => enrol::codes(session, form)?,
        DONE => Body::ResetDone(ResetDoneView { login: session.login().await?, back: session.back().await? }),
        _ => choose::page(session, form),
    };
    let status = if problems.contains(&Problem::Stale) { StatusCode::FORBIDDEN } else { StatusCode::OK };
    Ok(session.page(status, body))
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
    match step {
        PASSWORD => choose::submit(session, form).await,
        SECOND_FACTOR => prove::submit(session, form, prove::Way::Authenticator).await,
        PASSKEY => prove::submit(session, form, prove::Way::Passkey).await,
        RECOVERY => prove::submit(session, form, prove::Way::RecoveryCode).await,
        ENROL => enrol::submit(session, form).await,
        RECOVERY_CODES => enrol::stored(session, form).await,
        _ => Ok(onward(&session)),
    }
}

/// The user does not want to go on. Nothing is used up: the link waits for as long as it would have.
async fn leave(session: &ResetSession) -> Result<Response, Internal> {
    Ok(match session.login().await? {
        Some(login) => see_other(&login),
        None => session.page_request.expired(StatusCode::OK).await,
    })
}
