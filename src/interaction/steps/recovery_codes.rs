//! The recovery codes, shown until the user says that they are stored. Then they cannot be read again.

use futures_util::FutureExt;

use crate::domain::policy::Need;
use crate::interaction::ceremony_pages;
use crate::interaction::login::Login;
use crate::interaction::step::refusals::missing;
use crate::interaction::step::{Showing, Step, StepView, Submitting};
use crate::protocol::parameters::Parameters;
use crate::views::{Field, Form};

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
            let Some(login_user) = &login.user else { return Ok(StepView::late(login)) };
            if login.ceremony().recovery_codes.is_none() {
                return Ok(StepView::late(login));
            }
            let (ceremony, row) = (login.ceremony(), login.codes_row());
            let page = ceremony_pages::recovery_codes(login.idp(), ceremony, &row, &login_user.user, form)?;
            Ok(StepView::Page(page))
        }
        .boxed()
    }

    fn submit<'a>(&'a self, mut login: Login, _: &'a Need, form: &'a Parameters) -> Submitting<'a> {
        async move {
            if form.get("stored").is_none() {
                return missing(login, NAME, &[Field::Stored]).await;
            }
            login.interaction.progress.ceremony.recovery_codes = None;
            login.interaction.progress.refusal = None;
            login.store().await
        }
        .boxed()
    }
}
