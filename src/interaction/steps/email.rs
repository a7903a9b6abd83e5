//! The mailbox that codes go to (SEED0-12). A code is sent there at once, and the address counts when it comes back: so
//! nobody learns here whether there is such a mailbox.

use std::ops::ControlFlow;

use futures_util::FutureExt;

use super::{Showing, Shown, Step, Taking, enrolling, invalid, missing, sending};
use crate::domain::authenticator::{Kind, Method};
use crate::domain::contact::EmailAddress;
use crate::domain::policy::{Enrolment, Need};
use crate::interaction::login::Login;
use crate::protocol::parameters::Parameters;
use crate::views::{self, Body, Field, Form};

pub(super) const NAME: &str = "email";

/// No more of what was typed is kept for the page.
const KEPT: usize = 300;

pub(super) struct Email;

impl Step for Email {
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
                Shown::Page(Body::Email(views::Email { form, duty, address: typed(login), others }))
            }
            _ => Shown::late(login),
        };
        async { Ok(shown) }.boxed()
    }

    fn submit<'a>(&'a self, login: Login, need: &'a Need, form: &'a Parameters) -> Taking<'a> {
        async move {
            let (mut login, person) = match enrolling::enter(login, need, form).await? {
                ControlFlow::Continue(entered) => entered,
                ControlFlow::Break(done) => return Ok(done),
            };
            let address = form.get(Field::Email.name()).unwrap_or_default().trim();
            login.keep_input(|input| input.email = Some(address.chars().take(KEPT).collect()));
            if address.is_empty() {
                return missing(login, NAME, &[Field::Email]).await;
            }
            match EmailAddress::parse(address) {
                Ok(address) => sending::begin(login, &person, Kind::Mail { address }).await,
                Err(_) => invalid(login, NAME, Field::Email).await,
            }
        }
        .boxed()
    }
}

/// The field's value: what was typed last, or the profile's address.
fn typed(login: &Login) -> String {
    let profile = || {
        let user = &login.person.as_ref()?.user;
        user.address().map(|address| address.shown()).or_else(|| user.profile.email.clone())
    };
    login.input().email.or_else(profile).unwrap_or_default()
}
