//! The first code that was sent to a new number or mailbox: it shows that the user reads what goes there.

use std::ops::ControlFlow;

use futures_util::FutureExt;

use crate::domain::authenticator::Method;
use crate::domain::message::CodePurpose;
use crate::domain::policy::{Enrolment, Need};
use crate::interaction::login::Login;
use crate::interaction::step::refusals::missing;
use crate::interaction::step::{Showing, Step, StepView, Submitting, enrolling, sending};
use crate::protocol::parameters::Parameters;
use crate::views::{self, Body, Field, Form};

const NAME: &str = "confirm_code";

pub(super) struct ConfirmCodeStep;

impl Step for ConfirmCodeStep {
    fn name(&self) -> &'static str {
        NAME
    }

    fn meets(&self, need: &Need) -> bool {
        matches!(need, Need::Enrolment(Enrolment { method: Method::Sms | Method::Mail, .. }))
    }

    fn show<'a>(&'a self, login: &'a Login, need: &'a Need, mut form: Form) -> Showing<'a> {
        async move {
            let (Some(login_user), Need::Enrolment(due)) = (&login.user, need) else {
                return Ok(StepView::late(login));
            };
            let Some(pending) = enrolling::pending(login, login_user).await? else {
                let (login, outcome) = enrolling::void(login.clone()).await?;
                return Ok(StepView::Changed(Box::new(login), outcome));
            };
            let Some(sent) = sending::shown(login, pending.authenticator(), &mut form).await? else {
                return Ok(StepView::late(login));
            };
            let (duty, others) = (enrolling::duty(due.reason), due.others);
            Ok(StepView::Page(Body::ConfirmCode(views::ConfirmCodeView { form, duty, sent, others })))
        }
        .boxed()
    }

    fn submit<'a>(&'a self, login: Login, need: &'a Need, form: &'a Parameters) -> Submitting<'a> {
        async move {
            let (login, login_user) = match enrolling::enter(login, need, form).await? {
                ControlFlow::Continue(entered) => entered,
                ControlFlow::Break(done) => return Ok(done),
            };
            if form.get("change").is_some() {
                return enrolling::abandon(login, &login_user).await;
            }
            let Some(pending) = enrolling::pending(&login, &login_user).await? else {
                return enrolling::void(login).await;
            };
            if form.get("resend").is_some() {
                return sending::send(login, &login_user, pending.authenticator(), CodePurpose::Address)
                    .await;
            }
            let Some(code) = form.get("code") else { return missing(login, NAME, &[Field::Code]).await };
            enrolling::prove(login, login_user, pending, code, NAME).await
        }
        .boxed()
    }
}
