//! The code of the second factor. It is asked for only after the password was right (SEED1-18).
//!
//! Where codes are sent, opening the page sends the first one, once in a login; further ones are sent by a button.

use futures_util::FutureExt;

use crate::crypto::random;
use crate::domain::form::Problem;
use crate::domain::message::Purpose;
use crate::domain::policy::{FactorOptions, Need};
use crate::interaction::code_notice;
use crate::interaction::login::trust;
use crate::interaction::login::{Login, Outcome};
use crate::interaction::step::refusals::missing;
use crate::interaction::step::verdicts::accepts;
use crate::interaction::step::{Showing, Step, StepView, Submitting, links, sending};
use crate::protocol::parameters::Parameters;
use crate::views::{self, Body, Field, Form};

const NAME: &str = links::SECOND_FACTOR;

pub(super) struct SecondFactorStep;

impl Step for SecondFactorStep {
    fn name(&self) -> &'static str {
        NAME
    }

    fn meets(&self, need: &Need) -> bool {
        matches!(need, Need::SecondFactor { ways: FactorOptions { code: true, .. }, .. })
    }

    fn show<'a>(&'a self, login: &'a Login, need: &'a Need, mut form: Form) -> Showing<'a> {
        async move {
            let Some(login_user) = &login.user else { return Ok(StepView::late(login)) };
            let Some(authenticator) = &login_user.authenticator else { return Ok(StepView::late(login)) };
            if sending::is_due(login, authenticator) {
                let (login, outcome) =
                    sending::send(login.clone(), login_user, authenticator, Purpose::SignIn).await?;
                return Ok(StepView::Changed(Box::new(login), outcome));
            }
            let noted = login.interaction.progress.dispatch.as_ref();
            let source = code_notice::source(login.idp(), noted, authenticator, login.now, &mut form).await?;
            Ok(StepView::Page(Body::SecondFactor(views::SecondFactorView {
                form,
                source,
                trust: trust::offered(login_user),
                digits: authenticator.kind.digits(),
                pin: authenticator.pin.as_ref().map(|pin| pin.position),
                resync: links::resync(login),
                passkey: links::passkey(login, need),
                recovery: links::recovery(login).await?,
            })))
        }
        .boxed()
    }

    fn submit<'a>(&'a self, login: Login, _: &'a Need, form: &'a Parameters) -> Submitting<'a> {
        async move {
            let Some(login_user) = login.user.clone() else { return Ok((login, Outcome::Conflict)) };
            if let Some(authenticator) = &login_user.authenticator
                && form.get("resend").is_some()
            {
                return sending::send(login, &login_user, authenticator, Purpose::SignIn).await;
            }
            let Some(code) = form.get("code") else { return missing(login, NAME, &[Field::Code]).await };
            let scope = login.code_scope();
            let attempt = login.idp().account().code_attempt(&login_user.user.id, &scope, code).await?;
            let Some(attempt) = attempt else { return Ok((login, Outcome::Conflict)) };
            let trust = trust::wanted(&login, &login_user, form);
            let user = login_user.user.id;
            let (reference, at) = (random::reference(), login.proof_time(&user));
            let written = login.write(move |mut login, tx| {
                let (attempt, reference) = (attempt.clone(), reference.clone());
                let (user, trust) = (user.clone(), trust.clone());
                async move {
                    let verdict = attempt.settle(tx, login.now).await?;
                    if accepts(&mut login, NAME, verdict, Problem::WrongCode, reference) {
                        login.learn_at(&user, attempt.proves, at);
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
