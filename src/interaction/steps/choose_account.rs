//! The account that is signed in, or another one (`prompt=select_account`).

use futures_util::FutureExt;

use crate::domain::fact::FactKind;
use crate::domain::policy::Need;
use crate::interaction::login::Login;
use crate::interaction::step::{Showing, Step, StepView, Submitting};
use crate::protocol::parameters::Parameters;
use crate::views::{self, ApplicationInfo, Body, Form};

pub(super) struct ChooseAccountStep;

impl Step for ChooseAccountStep {
    fn name(&self) -> &'static str {
        "choose_account"
    }

    fn meets(&self, need: &Need) -> bool {
        matches!(need, Need::AccountChosen(_))
    }

    fn show<'a>(&'a self, login: &'a Login, _: &'a Need, form: Form) -> Showing<'a> {
        let user = login.user.as_ref().map(|login_user| &login_user.user);
        let page = views::ChooseAccountView {
            form,
            application: ApplicationInfo::of(login.validated.client(), login.locale()),
            account: user.map(|user| user.username.to_string()).unwrap_or_default(),
            name: user.and_then(|user| user.profile.name.clone()),
        };
        async { Ok(StepView::Page(Body::ChooseAccount(page))) }.boxed()
    }

    fn submit<'a>(&'a self, mut login: Login, need: &'a Need, form: &'a Parameters) -> Submitting<'a> {
        match (form.get("account"), need) {
            (Some("this"), Need::AccountChosen(user)) => login.learn(FactKind::AccountChosen(user.clone())),
            (Some("other"), _) => {
                login.interaction.progress.start_again();
                login.user = None;
            }
            _ => {}
        }
        login.store().boxed()
    }
}
