//! The mailbox that codes go to (SEED0-12). A code is sent there at once, and the address counts when it comes back: so
//! the page does not tell whether there is such a mailbox.

use std::ops::ControlFlow;

use futures_util::FutureExt;

use crate::domain::authenticator::{AuthenticatorKind, Method};
use crate::domain::contact::EmailAddress;
use crate::domain::policy::{Enrolment, Need};
use crate::interaction::login::Login;
use crate::interaction::step::refusals::{invalid, missing};
use crate::interaction::step::{Showing, Step, StepView, Submitting, enrolling, links, sending};
use crate::protocol::parameters::Parameters;
use crate::views::{self, Body, Field, Form};

const NAME: &str = links::EMAIL;

/// No more of what was typed is kept for the page.
const KEPT: usize = 300;

pub(super) struct EmailStep;

impl Step for EmailStep {
    fn name(&self) -> &'static str {
        NAME
    }

    fn meets(&self, need: &Need) -> bool {
        matches!(need, Need::Destination(Enrolment { method: Method::Mail, .. }))
    }

    fn show<'a>(&'a self, login: &'a Login, need: &'a Need, form: Form) -> Showing<'a> {
        let shown = match need {
            Need::Destination(due) => {
                let (duty, others) = (enrolling::duty(due.reason), due.others);
                StepView::Page(Body::Email(views::EmailView { form, duty, address: typed(login), others }))
            }
            _ => StepView::late(login),
        };
        async { Ok(shown) }.boxed()
    }

    fn submit<'a>(&'a self, login: Login, need: &'a Need, form: &'a Parameters) -> Submitting<'a> {
        async move {
            let (mut login, login_user) = match enrolling::enter(login, need, form).await? {
                ControlFlow::Continue(entered) => entered,
                ControlFlow::Break(done) => return Ok(done),
            };
            let address = form.get(Field::Email.name()).unwrap_or_default().trim();
            login.keep_input(|input| input.email = Some(address.chars().take(KEPT).collect()));
            if address.is_empty() {
                return missing(login, NAME, &[Field::Email]).await;
            }
            match EmailAddress::parse(address) {
                Ok(address) => sending::begin(login, &login_user, AuthenticatorKind::Mail { address }).await,
                Err(_) => invalid(login, NAME, Field::Email).await,
            }
        }
        .boxed()
    }
}

/// The field's value: what was typed last, or the profile's address.
fn typed(login: &Login) -> String {
    let profile = || {
        let user = &login.user.as_ref()?.user;
        user.address().map(|address| address.shown()).or_else(|| user.profile.email.clone())
    };
    login.input().email.or_else(profile).unwrap_or_default()
}
