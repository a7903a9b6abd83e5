//! The recovery codes, shown until the user says that they are stored. Then nobody can read them again.

use futures_util::FutureExt;

use crate::domain::policy::Need;
use crate::interaction::login::Login;
use crate::interaction::step::refusals::missing;
use crate::interaction::step::{Showing, Step, StepView, Submitting};
use crate::protocol::parameters::Parameters;
use crate::views::{self, Body, Field, Form};

const NAME: &str = "recovery_codes";

pub(super) struct RecoveryCodesStep;

impl Step for RecoveryCodesStep {
    fn name(&self) -> &'static str {
        NAME
    }

    fn meets(&self, need: &Need) -> bool {
        matches!(need, Need::RecoveryCodesStored)
    }

    fn show<'a>(&'a self, login: &'a Login, _: &'a Need, form: Form) -> Showing<'a> {
        async move {
            let (Some(sealed), Some(login_user)) = (&login.interaction.progress.recovery_codes, &login.user)
            else {
                return Ok(StepView::late(login));
            };
            let codes = login.idp().account().shown_recovery_codes(sealed, &login.codes_row())?;
            let account = login_user.user.username.to_string();
            Ok(StepView::Page(Body::RecoveryCodes(views::RecoveryCodesView { form, codes, account })))
        }
        .boxed()
    }

    fn submit<'a>(&'a self, mut login: Login, _: &'a Need, form: &'a Parameters) -> Submitting<'a> {
        async move {
            if form.get("stored").is_none() {
                return missing(login, NAME, &[Field::Stored]).await;
            }
            login.interaction.progress.recovery_codes = None;
            login.interaction.progress.refusal = None;
            login.store().await
        }
        .boxed()
    }
}
