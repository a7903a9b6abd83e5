//! The telephone number that codes go to (SEED0-11). A code is sent there at once, and the number counts when it comes back.

use std::ops::ControlFlow;

use futures_util::FutureExt;

use crate::domain::authenticator::{AuthenticatorKind, Method};
use crate::domain::contact::{Country, PhoneNumber};
use crate::domain::interaction::FormInput;
use crate::domain::policy::{Enrolment, Need};
use crate::interaction::login::Login;
use crate::interaction::step::refusals::{invalid, missing};
use crate::interaction::step::{Showing, Step, StepView, Submitting, enrolling, links, sending};
use crate::protocol::parameters::Parameters;
use crate::views::{self, Body, Field, Form};

const NAME: &str = links::PHONE;

/// No more of what was typed is kept for the page.
const KEPT: usize = 40;

pub(super) struct PhoneStep;

impl Step for PhoneStep {
    fn name(&self) -> &'static str {
        NAME
    }

    fn meets(&self, need: &Need) -> bool {
        matches!(need, Need::Destination(Enrolment { method: Method::Sms, .. }))
    }

    fn show<'a>(&'a self, login: &'a Login, need: &'a Need, form: Form) -> Showing<'a> {
        let shown = match need {
            Need::Destination(due) => {
                let (country, number) = typed(login);
                let countries = login.idp().settings().sms.countries.clone();
                let country = country.or_else(|| countries.first().copied());
                let (duty, others) = (enrolling::duty(due.reason), due.others);
                StepView::Page(Body::Phone(views::PhoneView {
                    form,
                    duty,
                    countries,
                    country,
                    number,
                    others,
                }))
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
            let number = form.get(Field::PhoneNumber.name()).unwrap_or_default().trim();
            let country = form.get(Field::Country.name()).and_then(|letters| served(&login, letters));
            login.keep_input(|input| {
                input.country = country.map(|country| country.to_string());
                input.phone_number = Some(number.chars().take(KEPT).collect());
            });
            let fields = [(country.is_none(), Field::Country), (number.is_empty(), Field::PhoneNumber)];
            let empty: Vec<_> = fields.into_iter().filter(|(is, _)| *is).map(|(_, field)| field).collect();
            if !empty.is_empty() {
                return missing(login, NAME, &empty).await;
            }
            match PhoneNumber::parse(number, country) {
                Ok(number) if login.idp().settings().sms.serve(number.country()) => {
                    sending::begin(login, &login_user, AuthenticatorKind::Sms { number }).await
                }
                _ => invalid(login, NAME, Field::PhoneNumber).await,
            }
        }
        .boxed()
    }
}

fn served(login: &Login, letters: &str) -> Option<Country> {
    Country::parse(letters).ok().filter(|country| login.idp().settings().sms.serve(*country))
}

/// The values of the fields: those typed last, or the number of the profile if it can be texted.
fn typed(login: &Login) -> (Option<Country>, String) {
    let FormInput { country, phone_number, .. } = login.input();
    if let Some(number) = phone_number {
        return (country.and_then(|letters| served(login, &letters)), number);
    }
    let profile = login.user.as_ref().and_then(|login_user| login_user.user.profile.phone_number.as_deref());
    let number = profile.and_then(|number| PhoneNumber::parse(number, None).ok());
    let number = number.filter(|number| login.idp().settings().sms.serve(number.country()));
    number.map(|number| (Some(number.country()), number.to_string())).unwrap_or_default()
}
