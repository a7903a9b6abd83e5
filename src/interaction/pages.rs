//! The two handlers behind every page of a login: one shows, one takes what was posted.
//!
//! Both ask the engine first. A page that is not the current one leads to the current one, whether it is old (the Back
//! button, a second tab) or was never due (a guess); a login that has become complete elsewhere is completed here.

use axum::body::Bytes;
use axum::extract::Path;
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use futures_util::FutureExt;

use super::error_pages::retry_after;
use super::login::{Due, Login};
use super::page_request::PageRequest;
use super::step::{StepView, links, refusals};
use super::steps;
use crate::http::{ContentSecurity, form_token, is_foreign_post, is_form_token, see_other};
use crate::protocol::parameters::Parameters;
use crate::provider::Internal;
use crate::storage::interactions;
use crate::views::{Body, Form, Problem};

/// The parts of a page's address. A tenant's issuer has its domain in front.
#[derive(Debug, serde::Deserialize)]
pub(super) struct PageAddress {
    interaction: String,
    step: String,
}

/// `GET /login/{interaction}/{step}`
pub(super) async fn show(page_request: PageRequest, Path(address): Path<PageAddress>) -> Response {
    let answer = match Login::resume(page_request.clone(), &address.interaction).boxed().await {
        Ok(Some(login)) if login.interaction.browser.is_none() => bind(&page_request, &login).await,
        Ok(Some(login)) if login.is_of(page_request.browser().as_ref()) => {
            open(login, &address.step, None).boxed().await
        }
        Ok(_) => return page_request.expired(StatusCode::GONE).await,
        Err(error) => return page_request.answer_error(error),
    };
    answer.unwrap_or_else(|error| page_request.failed(&error))
}

/// `POST /login/{interaction}/{step}`
pub(super) async fn submit(
    page_request: PageRequest,
    Path(address): Path<PageAddress>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if is_foreign_post(&headers, &page_request.issuer) {
        return page_request.foreign_form();
    }
    if address.step == links::FIRST
        && let Err(busy) = page_request.idp.account().has_capacity()
    {
        return page_request.failed(&busy.into());
    }
    let form = match Parameters::of_page(&body) {
        Ok(form) => form,
        Err(error) => return page_request.faulty(error),
    };
    let answer = match Login::resume(page_request.clone(), &address.interaction).boxed().await {
        Ok(Some(login)) if login.is_of(page_request.browser().as_ref()) => {
            take(login, &address.step, &form).boxed().await
        }
        Ok(_) => return page_request.expired(StatusCode::FORBIDDEN).await,
        Err(error) => return page_request.answer_error(error),
    };
    answer.unwrap_or_else(|error| page_request.failed(&error))
}

/// The first browser to open an unbound login owns it.
async fn bind(page_request: &PageRequest, login: &Login) -> Result<Response, Internal> {
    let (browser, cookie) = page_request.known_browser();
    let id = login.interaction.id.clone();
    let bound = page_request.idp.db().write(move |tx| {
        let (id, browser) = (id.clone(), browser.clone());
        Box::pin(async move { interactions::bind(tx, &id, &browser).await })
    });
    let bound = bound.await?;
    // If another request bound it first, the next page finds out whether that was one of this browser.
    let mut response = see_other(&login.address(steps::current(login)));
    response.headers_mut().extend(cookie.filter(|_| bound).map(|cookie| (SET_COOKIE, cookie)));
    Ok(response)
}

/// Shows the page, or leads to the one that is due.
async fn open(login: Login, step: &str, problem: Option<Problem>) -> Result<Response, Internal> {
    let Due::Ask(need) = login.next() else { return finish(login).await };
    if login.dropped && problem.is_none() {
        // The row must not remember it either, should the user before come back.
        return finish(login).await;
    }
    let Some(page) = steps::named(step).filter(|page| page.meets(&need)) else {
        return Ok(see_other(&login.address(steps::current(&login))));
    };
    let mut form = Form::new(login.address(page.name()), token(&login));
    form.problems.extend(problem);
    let status = if problem.is_some() { StatusCode::FORBIDDEN } else { StatusCode::OK };
    let security = ContentSecurity::Leaving;
    let form = match refusals::with_refusal(&login, page.name(), form) {
        Ok(form) => form,
        Err(wait) => {
            let seconds = wait.until.since(login.now);
            let page = login.page(StatusCode::TOO_MANY_REQUESTS, Body::Wait(wait), security);
            return Ok(retry_after(page, seconds));
        }
    };
    Ok(match page.show(&login, &need, form).await? {
        StepView::Page(body) => login.page(status, body, security),
        StepView::Refusal(status, body) => login.page(status, body, security),
        StepView::Changed(login, outcome) => steps::respond(&login, outcome),
    })
}

/// Takes a post for the page that is due.
async fn take(login: Login, step: &str, form: &Parameters) -> Result<Response, Internal> {
    let Due::Ask(need) = login.next() else { return finish(login).await };
    let Some(page) = steps::named(step).filter(|page| page.meets(&need)) else {
        return Ok(see_other(&login.address(steps::current(&login))));
    };
    if !is_ours(&login, form) {
        login.page_request.refuse("stale_form", None);
        return open(login, step, Some(Problem::Stale)).boxed().await;
    }
    if form.get("cancel").is_some() {
        let (login, outcome) = login.give_up().await?;
        return Ok(steps::respond(&login, outcome));
    }
    let (login, outcome) = page.submit(login, &need, form).await?;
    Ok(steps::respond(&login, outcome))
}

/// Stores the login as it is now: nothing is missing any more, nothing can help any more, or something was dropped.
async fn finish(login: Login) -> Result<Response, Internal> {
    let (login, outcome) = login.store().await?;
    Ok(steps::respond(&login, outcome))
}

fn token(login: &Login) -> String {
    let browser = login.interaction.browser.as_ref();
    browser.map_or_else(String::new, |browser| {
        form_token(login.idp().sealer(), browser, &login.form_name()).to_string()
    })
}

fn is_ours(login: &Login, form: &Parameters) -> bool {
    let browser = login.interaction.browser.as_ref();
    browser.zip(form.get("csrf")).is_some_and(|(browser, token)| {
        is_form_token(login.idp().sealer(), browser, &login.form_name(), token)
    })
}
