//! A passkey or security key as the second factor.
//!
//! The browser is asked once for each time that the page is opened anew; an answer, right or wrong, uses the question up.

use futures_util::FutureExt;

use crate::account::passkeys::RelyingPartyContext;
use crate::crypto::random;
use crate::domain::form::Problem;
use crate::domain::passkey::Purpose;
use crate::domain::policy::{FactorOptions, Need};
use crate::interaction::login::trust;
use crate::interaction::login::{Login, Outcome};
use crate::interaction::step::passkeys::{answer, not_asked, remember_question};
use crate::interaction::step::verdicts::accepts;
use crate::interaction::step::{Showing, Step, StepView, Submitting, links};
use crate::protocol::parameters::Parameters;
use crate::provider::Internal;
use crate::views::{self, Body, Form};

const NAME: &str = links::PASSKEY;

pub(super) struct PasskeyStep;

impl Step for PasskeyStep {
    fn name(&self) -> &'static str {
        NAME
    }

    fn meets(&self, need: &Need) -> bool {
        matches!(need, Need::SecondFactor { ways: FactorOptions { passkey: true, .. }, .. })
    }

    fn show<'a>(&'a self, login: &'a Login, need: &'a Need, form: Form) -> Showing<'a> {
        async move {
            let Some(asked) = login.interaction.progress.asked(Purpose::Prove) else {
                return ask(login).await;
            };
            let (options, code) = (asked.options.clone(), links::code(login, need));
            let recovery = links::recovery(login).await?;
            let trust = login.user.as_deref().and_then(trust::offered);
            Ok(StepView::Page(Body::Passkey(views::PasskeyView { form, options, trust, code, recovery })))
        }
        .boxed()
    }

    fn submit<'a>(&'a self, mut login: Login, _: &'a Need, form: &'a Parameters) -> Submitting<'a> {
        async move {
            let Some(answer) = answer(form) else { return not_asked(login, NAME).await };
            let asked = login.interaction.progress.take_asked(Purpose::Prove);
            let (Some(asked), Some(login_user)) = (asked, login.user.clone()) else {
                return Ok((login, Outcome::Conflict));
            };
            let issuer = login.page_request.issuer.clone();
            let Some(context) = RelyingPartyContext::of(&issuer) else {
                return Ok((login, Outcome::Conflict));
            };
            let trust = trust::wanted(&login, &login_user, form);
            let user = login_user.user.id;
            let attempt = login.idp().account().passkey_attempt(
                &context,
                &user,
                &login_user.passkeys,
                &asked,
                answer,
            )?;
            let (reference, at) = (random::reference(), login.proof_time(&user));
            let written = login.write(move |mut login, tx| {
                let (attempt, reference) = (attempt.clone(), reference.clone());
                let (user, trust) = (user.clone(), trust.clone());
                async move {
                    let verdict = attempt.settle(tx, login.now).await?;
                    let is_right = accepts(&mut login, NAME, verdict, Problem::WrongPasskey, reference);
                    if let Some(fact) = attempt.proves().filter(|_| is_right) {
                        login.learn_at(&user, fact, at);
                        trust::remember(&mut login, tx, trust).await?;
                    }
                    Ok(login)
                }
                .boxed()
            });
            written.await
        }
        .boxed()
    }
}

async fn ask(login: &Login) -> Result<StepView, Internal> {
    let issuer = login.page_request.issuer.clone();
    let (Some(context), Some(login_user)) = (RelyingPartyContext::of(&issuer), &login.user) else {
        return Ok(StepView::late(login));
    };
    let ceremony = context.ask_for_passkey(&login_user.passkeys)?;
    remember_question(login, ceremony).await
}
