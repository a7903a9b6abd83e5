//! The two handlers behind every page of a reset. Which page is due follows from the row; any other leads to it.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use futures_util::FutureExt;

use super::holder::{ResetSession, void};
use super::{choose, enrol, prove};
use crate::domain::reset::Stage;
use crate::http::{form_token, is_foreign_post, is_form_token};
use crate::interaction::finish::see_other;
use crate::interaction::visitor::PageRequest;
use crate::protocol::parameters::Parameters;
use crate::provider::Internal;
use crate::views::{Body, Form, Problem, ResetDone};

pub(super) const PASSWORD: &str = "password";
pub(super) const SECOND_FACTOR: &str = "second_factor";
pub(super) const PASSKEY: &str = "passkey";
pub(super) const RECOVERY: &str = "recovery";
pub(super) const ENROL: &str = "enrol";
pub(super) const RECOVERY_CODES: &str = "recovery_codes";
const DONE: &str = "done";

/// The parts of a page's address. A tenant's issuer has its domain in front.
#[derive(Debug, serde::Deserialize)]
pub(super) struct Address {
    step: String,
}

/// The address of a page.
pub(super) fn address(visitor: &PageRequest, step: &str) -> String {
    format!("{}/reset/{step}", visitor.issuer.url.path())
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
pub(super) fn onward(holder: &ResetSession) -> Response {
    let step = match holder.reset.stage() {
        Stage::SecondFactor => prove::first(holder),
        stage => steps(stage).first().copied().unwrap_or(PASSWORD),
    };
    see_other(&address(&holder.visitor, step))
}

/// `GET /reset/{step}`
pub(super) async fn show(visitor: PageRequest, Path(Address { step }): Path<Address>) -> Response {
    let visitor = Arc::new(visitor);
    let answer = match ResetSession::load(&visitor).await {
        Ok(Some(holder)) => open(&holder, &step, &[]).await,
        Ok(None) => return void(&visitor),
        Err(error) => Err(error),
    };
    answer.unwrap_or_else(|error| visitor.failed(&error))
}

/// `POST /reset/{step}`
pub(super) async fn submit(
    visitor: PageRequest,
    Path(Address { step }): Path<Address>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if is_foreign_post(&headers, &visitor.issuer) {
        return visitor.foreign_form();
    }
    let form = match Parameters::of_page(&body) {
        Ok(form) => form,
        Err(error) => return visitor.faulty(error),
    };
    let visitor = Arc::new(visitor);
    let answer = match ResetSession::load(&visitor).await {
        Ok(Some(holder)) => take(holder, &step, &form).boxed().await,
        Ok(None) => return void(&visitor),
        Err(error) => Err(error),
    };
    answer.unwrap_or_else(|error| visitor.failed(&error))
}

/// Shows the page, or leads to the one that is due.
pub(super) async fn open(
    holder: &ResetSession,
    step: &str,
    problems: &[Problem],
) -> Result<Response, Internal> {
    if !steps(holder.reset.stage()).contains(&step) {
        return Ok(onward(holder));
    }
    let token = form_token(holder.idp(), &holder.secret, &holder.form_name());
    let form =
        Form { problems: problems.to_vec(), ..Form::new(address(&holder.visitor, step), token.as_str()) };
    let body = match step {
        SECOND_FACTOR => match prove::second_factor(holder, form).await? {
            Ok(body) => body,
            Err(answer) => return Ok(answer),
        },
        PASSKEY => match prove::passkey(holder, form).await? {
            Ok(body) => body,
            Err(answer) => return Ok(answer),
        },
        RECOVERY => prove::recovery(holder, form),
        ENROL => match enrol::page(holder, form).await? {
            Ok(body) => body,
            Err(begun) => return Ok(begun),
        },
        RECOVERY_CODES => enrol::codes(holder, form)?,
        DONE => Body::ResetDone(ResetDone { login: holder.login().await?, back: holder.back().await? }),
        _ => choose::page(holder, form),
    };
    let status = if problems.contains(&Problem::Stale) { StatusCode::FORBIDDEN } else { StatusCode::OK };
    Ok(holder.page(status, body))
}

/// Takes a post for the page that is due.
async fn take(holder: ResetSession, step: &str, form: &Parameters) -> Result<Response, Internal> {
    if !steps(holder.reset.stage()).contains(&step) {
        return Ok(onward(&holder));
    }
    let token = form.get("csrf").unwrap_or_default();
    if !is_form_token(holder.idp(), &holder.secret, &holder.form_name(), token) {
        holder.visitor.refuse("stale_form", None);
        return open(&holder, step, &[Problem::Stale]).await;
    }
    if form.get("cancel").is_some() {
        return leave(&holder).await;
    }
    match step {
        PASSWORD => choose::submit(holder, form).await,
        SECOND_FACTOR => prove::submit(holder, form, prove::Way::Authenticator).await,
        PASSKEY => prove::submit(holder, form, prove::Way::Passkey).await,
        RECOVERY => prove::submit(holder, form, prove::Way::RecoveryCode).await,
        ENROL => enrol::submit(holder, form).await,
        RECOVERY_CODES => enrol::stored(holder, form).await,
        _ => Ok(onward(&holder)),
    }
}

/// The user does not want to go on. Nothing is used up: the link waits for as long as it would have.
async fn leave(holder: &ResetSession) -> Result<Response, Internal> {
    Ok(match holder.login().await? {
        Some(login) => see_other(&login),
        None => holder.visitor.expired(StatusCode::OK).await,
    })
}
