//! A recovery code in place of the authenticator that is lost; a new authenticator follows in the same login.

use futures_util::FutureExt;

use crate::account::ceremony::SecondFactorProof;
use crate::domain::form::Problem;
use crate::domain::policy::Need;
use crate::interaction::login::{Login, Outcome};
use crate::interaction::step::proving::prove;
use crate::interaction::step::refusals::missing;
use crate::interaction::step::{Showing, Step, StepView, Submitting, links};
use crate::protocol::parameters::Parameters;
use crate::views::{self, Body, Field, Form};

const NAME: &str = links::RECOVERY;

pub(super) struct RecoveryStep;

impl Step for RecoveryStep {
    fn name(&self) -> &'static str {
        NAME
    }

    fn meets(&self, need: &Need) -> bool {
        matches!(need, Need::SecondFactor { .. })
    }

    fn show<'a>(&'a self, login: &'a Login, need: &'a Need, form: Form) -> Showing<'a> {
        let asking = links::first_factor_page(need);
        let second_factor = (asking != NAME).then(|| login.address(asking));
        async { Ok(StepView::Page(Body::Recovery(views::RecoveryView { form, second_factor }))) }.boxed()
    }

    fn submit<'a>(&'a self, login: Login, _: &'a Need, form: &'a Parameters) -> Submitting<'a> {
        async move {
            let Some(code) = form.get("code") else {
                return missing(login, NAME, &[Field::RecoveryCode]).await;
            };
            let Some(login_user) = login.user.clone() else { return Ok((login, Outcome::Conflict)) };
            let wrong = (NAME, Problem::WrongRecoveryCode);
            prove(login, login_user, SecondFactorProof::RecoveryCode(code), form, wrong).await
        }
        .boxed()
    }
}
