//! A passkey or security key as the second factor.
//!
//! The browser is asked once for each time that the page is opened; an answer, right or wrong, consumes the question.

use futures_util::FutureExt;

use crate::account::ceremony::SecondFactorProof;
use crate::account::passkeys::RelyingPartyContext;
use crate::domain::form::Problem;
use crate::domain::passkey::PasskeyPurpose;
use crate::domain::policy::{FactorOptions, Need};
use crate::interaction::ceremony_pages::{self, OtherWays};
use crate::interaction::login::trust;
use crate::interaction::login::{Login, Outcome};
use crate::interaction::step::passkeys::{answer, not_asked, remember_question};
use crate::interaction::step::proving::prove;
use crate::interaction::step::{Showing, Step, StepView, Submitting, links};
use crate::protocol::parameters::Parameters;
use crate::provider::Internal;
use crate::views::Form;

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
            let Some(asked) = login.ceremony().asked(PasskeyPurpose::Prove) else {
                return ask(login).await;
            };
            let others = OtherWays {
                code: links::code(login, need),
                recovery: links::recovery(login).await?,
                trust: login.user.as_deref().and_then(trust::offered),
                ..OtherWays::default()
            };
            Ok(StepView::Page(ceremony_pages::passkey(asked, form, others)))
        }
        .boxed()
    }

    fn submit<'a>(&'a self, mut login: Login, _: &'a Need, form: &'a Parameters) -> Submitting<'a> {
        async move {
            let Some(answer) = answer(form) else { return not_asked(login, NAME).await };
            let asked = login.interaction.progress.ceremony.take_asked(PasskeyPurpose::Prove);
            let (Some(asked), Some(login_user)) = (asked, login.user.clone()) else {
                return Ok((login, Outcome::Conflict));
            };
            let wrong = (NAME, Problem::WrongPasskey);
            prove(login, login_user, SecondFactorProof::Passkey(&asked, answer), form, wrong).await
        }
        .boxed()
    }
}

async fn ask(login: &Login) -> Result<StepView, Internal> {
    let issuer = login.page_request.issuer.clone();
    let (Some(context), Some(login_user)) = (RelyingPartyContext::of(&issuer), &login.user) else {
        return Ok(StepView::late(login));
    };
    let challenge = context.ask_for_passkey(&login_user.passkeys)?;
    remember_question(login, challenge).await
}
