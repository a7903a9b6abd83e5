//! A new authenticator application: its secret is shown until the first code from it is right (SEED0-10, SEED1-10).
//!
//! The secret is made when the page is first opened.

use std::ops::ControlFlow;

use futures_util::FutureExt;

use super::{Showing, Shown, Step, Taking, enrolling, missing};
use crate::account::factors::Shown as Secret;
use crate::domain::authenticator::{Kind, Method};
use crate::domain::interaction::Problem;
use crate::domain::policy::{Enrolment, Need};
use crate::domain::tenant::Tenant;
use crate::domain::user::User;
use crate::interaction::login::Login;
use crate::interaction::person::LoginUser;
use crate::protocol::parameters::Parameters;
use crate::provider::Internal;
use crate::views::{self, Body, Duty, Field, Form};

pub(super) const NAME: &str = "enrol";

pub(super) struct Enrol;

impl Step for Enrol {
    fn name(&self) -> &'static str {
        NAME
    }

    fn meets(&self, need: &Need) -> bool {
        matches!(need, Need::Enrolment(Enrolment { method: Method::Totp, .. }))
    }

    fn show<'a>(&'a self, login: &'a Login, need: &'a Need, form: Form) -> Showing<'a> {
        async move {
            let (Some(person), Need::Enrolment(due)) = (&login.person, need) else {
                return Ok(Shown::late(login));
            };
            let Some(enrolment) = enrolling::begun(login, person).await? else {
                return start(login, person).await;
            };
            let Some(shown) = login.idp().account().shown(&enrolment)? else {
                return start(login, person).await;
            };
            let (duty, others) = (enrolling::duty(due.reason), due.others);
            let page = page(&shown, &person.user, &person.tenant, form, duty);
            Ok(Shown::Page(Body::Enrol(views::Enrol { others, ..page })))
        }
        .boxed()
    }

    fn submit<'a>(&'a self, login: Login, need: &'a Need, form: &'a Parameters) -> Taking<'a> {
        async move {
            let (login, person) = match enrolling::enter(login, need, form).await? {
                ControlFlow::Continue(entered) => entered,
                ControlFlow::Break(done) => return Ok(done),
            };
            let Some(code) = form.get("code") else { return missing(login, NAME, &[Field::Code]).await };
            let Some(enrolment) = enrolling::begun(&login, &person).await? else {
                return enrolling::void(login).await;
            };
            enrolling::prove(login, person, enrolment, code, NAME).await
        }
        .boxed()
    }
}

/// The page with the secret; there is no other way to choose.
pub(in crate::interaction) fn page(
    shown: &Secret,
    user: &User,
    tenant: &Tenant,
    form: Form,
    duty: Duty,
) -> views::Enrol {
    let account = user.username.to_string();
    let uri = shown.uri(&tenant.name, &account).map(|uri| uri.to_string()).unwrap_or_default();
    views::Enrol { form, duty, uri, secret: shown.groups(), account, others: false }
}

/// Makes a secret, then shows the page again.
async fn start(login: &Login, person: &LoginUser) -> Result<Shown, Internal> {
    let mut login = login.clone();
    if login.interaction.progress.enrolment.is_some() {
        login.refuse(NAME, Problem::EnrolmentVoid, None);
    }
    let (login, end) = enrolling::begin(&login, person, Kind::application()).await?;
    Ok(Shown::Changed(Box::new(login), end))
}
