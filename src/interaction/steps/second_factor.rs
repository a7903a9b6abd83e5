//! The code of the second factor. It is asked for only after the password was right (SEED1-18).
//!
//! Where codes are sent, opening the page sends the first one, once in a login; further ones are sent by a button.

use futures_util::FutureExt;

use crate::account::ceremony::SecondFactorProof;
use crate::domain::form::Problem;
use crate::domain::message::CodePurpose;
use crate::domain::policy::{FactorOptions, Need};
use crate::interaction::ceremony_pages::{OtherWays, second_factor};
use crate::interaction::code_notice;
use crate::interaction::login::trust;
use crate::interaction::login::{Login, Outcome};
use crate::interaction::step::proving::prove;
use crate::interaction::step::refusals::missing;
use crate::interaction::step::{Showing, Step, StepView, Submitting, links, sending};
use crate::protocol::parameters::Parameters;
use crate::views::{Field, Form};

const NAME: &str = links::SECOND_FACTOR;

pub(super) struct SecondFactorStep;

impl Step for SecondFactorStep {
    fn name(&self) -> &'static str {
        NAME
    }

    fn meets(&self, need: &Need) -> bool {
        matches!(need, Need::SecondFactor { ways: FactorOptions { code: true, .. }, .. })
    }

    fn show<'a>(&'a self, login: &'a Login, need: &'a Need, form: Form) -> Showing<'a> {
        async move {
            let Some(login_user) = &login.user else { return Ok(StepView::late(login)) };
            let Some(authenticator) = &login_user.authenticator else { return Ok(StepView::late(login)) };
            if code_notice::is_due(login.ceremony(), authenticator) {
                let (login, outcome) =
                    sending::send(login.clone(), login_user, authenticator, CodePurpose::SignIn).await?;
                return Ok(StepView::Changed(Box::new(login), outcome));
            }
            let others = OtherWays {
                code: None,
                passkey: links::passkey(login, need),
                recovery: links::recovery(login).await?,
                resync: links::resync(login),
                trust: trust::offered(login_user),
            };
            let (idp, ceremony) = (login.idp(), login.ceremony());
            let page = second_factor(idp, ceremony, authenticator, login.now, form, others).await?;
            Ok(StepView::Page(page))
        }
        .boxed()
    }

    fn submit<'a>(&'a self, login: Login, _: &'a Need, form: &'a Parameters) -> Submitting<'a> {
        async move {
            let Some(login_user) = login.user.clone() else { return Ok((login, Outcome::Conflict)) };
            if let Some(authenticator) = &login_user.authenticator
                && form.get("resend").is_some()
            {
                return sending::send(login, &login_user, authenticator, CodePurpose::SignIn).await;
            }
            let Some(code) = form.get("code") else { return missing(login, NAME, &[Field::Code]).await };
            let wrong = (NAME, Problem::WrongCode);
            prove(login, login_user, SecondFactorProof::Code(code), form, wrong).await
        }
        .boxed()
    }
}
