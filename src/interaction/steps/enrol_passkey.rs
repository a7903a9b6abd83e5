//! A new passkey: the browser makes it, and its registration proves that the user holds it.

use std::ops::ControlFlow;

use futures_util::FutureExt;

use crate::account::passkeys::{Registration, RegistrationOutcome, RelyingPartyContext};
use crate::crypto::random;
use crate::domain::authenticator::Method;
use crate::domain::credential_change::CredentialChange;
use crate::domain::form::Problem;
use crate::domain::passkey::Purpose;
use crate::domain::policy::{Enrolment, Need};
use crate::interaction::login::{Login, Outcome};
use crate::interaction::login_user::LoginUser;
use crate::interaction::step::enrolling::Enrolled;
use crate::interaction::step::passkeys::{answer, not_asked, remember_question};
use crate::interaction::step::{Showing, Step, StepView, Submitting, enrolling};
use crate::protocol::parameters::Parameters;
use crate::provider::Internal;
use crate::views::{self, Body, Form};

const NAME: &str = "enrol_passkey";

pub(super) struct EnrolPasskeyStep;

impl Step for EnrolPasskeyStep {
    fn name(&self) -> &'static str {
        NAME
    }

    fn meets(&self, need: &Need) -> bool {
        matches!(need, Need::Enrolment(Enrolment { method: Method::Passkey, .. }))
    }

    fn show<'a>(&'a self, login: &'a Login, need: &'a Need, form: Form) -> Showing<'a> {
        async move {
            let (Some(login_user), Need::Enrolment(due)) = (&login.user, need) else {
                return Ok(StepView::late(login));
            };
            let Some(asked) = login.interaction.progress.asked(Purpose::Enrol) else {
                return ask(login, login_user).await;
            };
            Ok(StepView::Page(Body::EnrolPasskey(views::EnrolPasskeyView {
                form,
                duty: enrolling::duty(due.reason),
                options: asked.options.clone(),
                others: due.others,
            })))
        }
        .boxed()
    }

    fn submit<'a>(&'a self, login: Login, need: &'a Need, form: &'a Parameters) -> Submitting<'a> {
        async move {
            let (mut login, login_user) = match enrolling::enter(login, need, form).await? {
                ControlFlow::Continue(entered) => entered,
                ControlFlow::Break(done) => return Ok(done),
            };
            let Some(answer) = answer(form) else { return not_asked(login, NAME).await };
            let asked = login.interaction.progress.take_asked(Purpose::Enrol);
            let issuer = login.page_request.issuer.clone();
            let (Some(asked), Some(context)) = (asked, RelyingPartyContext::of(&issuer)) else {
                return Ok((login, Outcome::Conflict));
            };
            match login.idp().account().new_passkey(&context, &login_user.user.id, &asked, answer)? {
                Ok(registration) => store(login, login_user, registration).await,
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

async fn ask(login: &Login, login_user: &LoginUser) -> Result<StepView, Internal> {
    let issuer = login.page_request.issuer.clone();
    let Some(context) = RelyingPartyContext::of(&issuer) else { return Ok(StepView::late(login)) };
    let LoginUser { user, tenant, passkeys, .. } = login_user;
    let ceremony =
        context.ask_for_new_passkey(user, tenant, passkeys, login.facts_proved_here().is_recovering())?;
    remember_question(login, ceremony).await
}

/// Stores the passkey, beside those that the user has.
async fn store(
    login: Login,
    login_user: Box<LoginUser>,
    registration: Registration,
) -> Result<(Login, Outcome), Internal> {
    let (enrolled, before) = (Enrolled::new(&login, &login_user)?, enrolling::holdings(&login, login_user));
    let written = login.write(move |mut login, tx| {
        let (registration, before, enrolled) = (registration.clone(), before.clone(), enrolled.clone());
        async move {
            login.authorise(tx, CredentialChange::Enrolment(Method::Passkey))?;
            match registration.settle(tx, &before).await? {
                RegistrationOutcome::Stored => {}
                RegistrationOutcome::Known | RegistrationOutcome::Void => {
                    login.refuse(NAME, Problem::WrongPasskey, Some(random::reference()));
                    return Ok(login);
                }
            }
            let supersedes = before.lost.is_some();
            if let Some(login_user) = &mut login.user {
                if let Some(lost) = before.lost {
                    login_user.authenticator = None;
                    login_user.passkeys.retain(|passkey| passkey.rp != lost);
                }
                login_user.passkeys.push(registration.passkey);
            }
            enrolled.settle(&mut login, tx, registration.proves, supersedes).await?;
            Ok(login)
        }
        .boxed()
    });
    written.await
}
