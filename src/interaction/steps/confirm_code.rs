//! The first code that was sent to a new number or mailbox: it shows that the user reads what goes there.

use std::ops::ControlFlow;

use futures_util::FutureExt;

use super::{Showing, Shown, Step, Taking, enrolling, missing, sending};
use crate::domain::authenticator::Method;
use crate::domain::message::Purpose;
use crate::domain::policy::{Enrolment, Need};
use crate::interaction::login::Login;
use crate::protocol::parameters::Parameters;
use crate::views::{self, Body, Field, Form};

const NAME: &str = "confirm_code";

pub(super) struct ConfirmCode;

impl Step for ConfirmCode {
    fn name(&self) -> &'static str {
        NAME
    }

    fn meets(&self, need: &Need) -> bool {
        matches!(need, Need::Enrolment(Enrolment { method: Method::Sms | Method::Mail, .. }))
    }

    fn show<'a>(&'a self, login: &'a Login, need: &'a Need, mut form: Form) -> Showing<'a> {
        async move {
            let (Some(person), Need::Enrolment(due)) = (&login.person, need) else {
                return Ok(Shown::late(login));
            };
            let Some(enrolment) = enrolling::begun(login, person).await? else {
                let (login, end) = enrolling::void(login.clone()).await?;
                return Ok(Shown::Changed(Box::new(login), end));
            };
            let Some(sent) = sending::shown(login, enrolment.authenticator(), &mut form).await? else {
                return Ok(Shown::late(login));
            };
            let (duty, others) = (enrolling::duty(due.reason), due.others);
            Ok(Shown::Page(Body::ConfirmCode(views::ConfirmCode { form, duty, sent, others })))
        }
        .boxed()
    }

    fn submit<'a>(&'a self, login: Login, need: &'a Need, form: &'a Parameters) -> Taking<'a> {
        async move {
            let (login, person) = match enrolling::enter(login, need, form).await? {
                ControlFlow::Continue(entered) => entered,
                ControlFlow::Break(done) => return Ok(done),
            };
            if form.get("change").is_some() {
                return enrolling::abandon(login, &person).await;
            }
            let Some(enrolment) = enrolling::begun(&login, &person).await? else {
                return enrolling::void(login).await;
            };
            if form.get("resend").is_some() {
                return sending::send(login, &person, enrolment.authenticator(), Purpose::Address).await;
            }
            let Some(code) = form.get("code") else { return missing(login, NAME, &[Field::Code]).await };
            enrolling::prove(login, person, enrolment, code, NAME).await
        }
        .boxed()
    }
}
