//! A new passkey: the browser makes it, and its registration proves that the user holds it.

use std::ops::ControlFlow;

use futures_util::FutureExt;

use crate::account::ceremony::Proved;
use crate::account::passkeys::RelyingPartyContext;
use crate::crypto::random;
use crate::domain::authenticator::Method;
use crate::domain::form::Problem;
use crate::domain::passkey::PasskeyPurpose;
use crate::domain::policy::{Enrolment, Need};
use crate::interaction::login::{Login, Outcome};
use crate::interaction::login_user::LoginUser;
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
            let Some(asked) = login.ceremony().asked(PasskeyPurpose::Enrol) else {
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
            let asked = login.interaction.progress.ceremony.take_asked(PasskeyPurpose::Enrol);
            let issuer = login.page_request.issuer.clone();
            let (Some(asked), Some(context)) = (asked, RelyingPartyContext::of(&issuer)) else {
                return Ok((login, Outcome::Conflict));
            };
            match login.idp().account().new_passkey(&context, &login_user.user.id, &asked, answer)? {
                Ok(registration) => {
                    let proved = Proved::Passkey(registration);
                    enrolling::finish(login, login_user, Method::Passkey, proved, NAME).await
                }
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
    let challenge =
        context.ask_for_new_passkey(user, tenant, passkeys, login.facts_proved_here().is_recovering())?;
    remember_question(login, challenge).await
}
