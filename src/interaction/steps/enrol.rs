//! A new authenticator application: its secret is shown until the first code from it is right (SEED0-10, SEED1-10).
//!
//! The secret is made when the page is first opened.

use std::ops::ControlFlow;

use futures_util::FutureExt;

use crate::domain::authenticator::{AuthenticatorKind, Method};
use crate::domain::form::Problem;
use crate::domain::policy::{Enrolment, Need};
use crate::interaction::ceremony_pages;
use crate::interaction::login::Login;
use crate::interaction::login_user::LoginUser;
use crate::interaction::step::refusals::missing;
use crate::interaction::step::{Showing, Step, StepView, Submitting, enrolling, links};
use crate::protocol::parameters::Parameters;
use crate::provider::Internal;
use crate::views::{self, Body, Field, Form};

const NAME: &str = links::ENROL;

pub(super) struct EnrolStep;

impl Step for EnrolStep {
    fn name(&self) -> &'static str {
        NAME
    }

    fn meets(&self, need: &Need) -> bool {
        matches!(need, Need::Enrolment(Enrolment { method: Method::Totp, .. }))
    }

    fn show<'a>(&'a self, login: &'a Login, need: &'a Need, form: Form) -> Showing<'a> {
        async move {
            let (Some(login_user), Need::Enrolment(due)) = (&login.user, need) else {
                return Ok(StepView::late(login));
            };
            let Some(pending) = enrolling::pending(login, login_user).await? else {
                return start(login, login_user).await;
            };
            let Some(shown) = login.idp().account().shown(&pending)? else {
                return start(login, login_user).await;
            };
            let (duty, others) = (enrolling::duty(due.reason), due.others);
            let page = ceremony_pages::secret(&shown, &login_user.user, &login_user.tenant, form, duty);
            Ok(StepView::Page(Body::Enrol(views::EnrolView { others, ..page })))
        }
        .boxed()
    }

    fn submit<'a>(&'a self, login: Login, need: &'a Need, form: &'a Parameters) -> Submitting<'a> {
        async move {
            let (login, login_user) = match enrolling::enter(login, need, form).await? {
                ControlFlow::Continue(entered) => entered,
                ControlFlow::Break(done) => return Ok(done),
            };
            let Some(code) = form.get("code") else { return missing(login, NAME, &[Field::Code]).await };
            let Some(pending) = enrolling::pending(&login, &login_user).await? else {
                return enrolling::void(login).await;
            };
            enrolling::prove(login, login_user, pending, code, NAME).await
        }
        .boxed()
    }
}

/// Makes a secret, then shows the page again.
async fn start(login: &Login, login_user: &LoginUser) -> Result<StepView, Internal> {
    let mut login = login.clone();
    if login.interaction.progress.ceremony.enrolment.is_some() {
        login.refuse(NAME, Problem::EnrolmentVoid, None);
    }
    let (login, outcome) = enrolling::begin(&login, login_user, AuthenticatorKind::application()).await?;
    Ok(StepView::Changed(Box::new(login), outcome))
}
