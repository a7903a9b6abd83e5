//! A new passkey: the browser makes it, and its registration proves that the user holds it.

use std::ops::ControlFlow;

use futures_util::FutureExt;

use super::enrolling::{self, Enrolled};
use super::passkey::{answer, asked, not_asked};
use super::{Showing, Shown, Step, Taking};
use crate::account::passkeys::{Place, Registration, RegistrationOutcome};
use crate::crypto::random;
use crate::domain::authenticator::Method;
use crate::domain::credential_change::CredentialChange;
use crate::domain::interaction::Problem;
use crate::domain::passkey::Purpose;
use crate::domain::policy::{Enrolment, Need};
use crate::interaction::finish::Outcome;
use crate::interaction::login::Login;
use crate::interaction::person::LoginUser;
use crate::protocol::parameters::Parameters;
use crate::provider::Internal;
use crate::views::{self, Body, Form};

const NAME: &str = "enrol_passkey";

pub(super) struct EnrolPasskey;

impl Step for EnrolPasskey {
    fn name(&self) -> &'static str {
        NAME
    }

    fn meets(&self, need: &Need) -> bool {
        matches!(need, Need::Enrolment(Enrolment { method: Method::Passkey, .. }))
    }

    fn show<'a>(&'a self, login: &'a Login, need: &'a Need, form: Form) -> Showing<'a> {
        async move {
            let (Some(person), Need::Enrolment(due)) = (&login.person, need) else {
                return Ok(Shown::late(login));
            };
            let Some(asked) = login.interaction.progress.asked(Purpose::Enrol) else {
                return ask(login, person).await;
            };
            Ok(Shown::Page(Body::EnrolPasskey(views::EnrolPasskey {
                form,
                duty: enrolling::duty(due.reason),
                options: asked.options.clone(),
                others: due.others,
            })))
        }
        .boxed()
    }

    fn submit<'a>(&'a self, login: Login, need: &'a Need, form: &'a Parameters) -> Taking<'a> {
        async move {
            let (mut login, person) = match enrolling::enter(login, need, form).await? {
                ControlFlow::Continue(entered) => entered,
                ControlFlow::Break(done) => return Ok(done),
            };
            let Some(answer) = answer(form) else { return not_asked(login, NAME).await };
            let asked = login.interaction.progress.take_asked(Purpose::Enrol);
            let issuer = login.visitor.issuer.clone();
            let (Some(asked), Some(place)) = (asked, Place::of(&issuer)) else {
                return Ok((login, Outcome::Conflict));
            };
            match login.idp().account().new_passkey(&place, &person.user.id, &asked, answer)? {
                Ok(registration) => store(login, person, registration).await,
                Err(refused) => {
                    tracing::info!(%refused, "a registration was refused");
                    login.refuse(NAME, Problem::WrongPasskey, Some(random::reference()));
                    login.store().await
                }
            }
        }
        .boxed()
    }
}

async fn ask(login: &Login, person: &LoginUser) -> Result<Shown, Internal> {
    let issuer = login.visitor.issuer.clone();
    let Some(place) = Place::of(&issuer) else { return Ok(Shown::late(login)) };
    let LoginUser { user, tenant, passkeys, .. } = person;
    let ceremony =
        place.ask_for_new_passkey(user, tenant, passkeys, login.facts_proved_here().is_recovering())?;
    asked(login, ceremony).await
}

/// Stores the passkey, beside those that the user has.
async fn store(
    login: Login,
    person: Box<LoginUser>,
    registration: Registration,
) -> Result<(Login, Outcome), Internal> {
    let (enrolled, before) = (Enrolled::new(&login, &person)?, enrolling::holdings(&login, person));
    let written = login.write(move |mut login, tx| {
        let (registration, before, enrolled) = (registration.clone(), before.clone(), enrolled.clone());
        async move {
            login.authorise(tx, CredentialChange::Enrolment(Method::Passkey)).await?;
            match registration.settle(tx, &before).await? {
                RegistrationOutcome::Stored => {}
                RegistrationOutcome::Known | RegistrationOutcome::Void => {
                    login.refuse(NAME, Problem::WrongPasskey, Some(random::reference()));
                    return Ok(login);
                }
            }
            let supersedes = before.lost.is_some();
            if let Some(person) = &mut login.person {
                if let Some(lost) = before.lost {
                    person.authenticator = None;
                    person.passkeys.retain(|passkey| passkey.rp != lost);
                }
                person.passkeys.push(registration.passkey);
            }
            enrolled.settle(&mut login, tx, registration.proves, supersedes).await?;
            Ok(login)
        }
        .boxed()
    });
    written.await
}
