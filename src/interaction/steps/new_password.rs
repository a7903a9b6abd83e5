//! A new password in the middle of a login, because the old one must not be kept: an administrator has handed it out.

use futures_util::FutureExt;

use crate::account::ending::Spared;
use crate::account::new_password::NewPassword as Chosen;
use crate::domain::credential_change::CredentialChange;
use crate::domain::event::Event;
use crate::domain::form::Problem;
use crate::domain::password::PasswordFault;
use crate::domain::policy::Need;
use crate::interaction::ceremony_pages;
use crate::interaction::login::{Login, Outcome};
use crate::interaction::step::refusals::missing;
use crate::interaction::step::{Showing, Step, StepView, Submitting};
use crate::protocol::parameters::Parameters;
use crate::provider::Internal;
use crate::storage;
use crate::views::Form;

const NAME: &str = "new_password";

pub(super) struct NewPasswordStep;

impl Step for NewPasswordStep {
    fn name(&self) -> &'static str {
        NAME
    }

    fn meets(&self, need: &Need) -> bool {
        matches!(need, Need::NewPassword)
    }

    fn show<'a>(&'a self, login: &'a Login, _: &'a Need, form: Form) -> Showing<'a> {
        let shown = match &login.user {
            None => StepView::late(login),
            Some(login_user) => StepView::Page(ceremony_pages::new_password(&login_user.user, form)),
        };
        async { Ok(shown) }.boxed()
    }

    fn submit<'a>(&'a self, mut login: Login, _: &'a Need, form: &'a Parameters) -> Submitting<'a> {
        async move {
            let [new, again] = match ceremony_pages::typed_password(form) {
                Ok(typed) => typed,
                Err(empty) => return missing(login, NAME, &empty).await,
            };
            let Some(login_user) = &login.user else { return Ok((login, Outcome::Conflict)) };
            let fault = match Chosen::check(new, again, &login_user.user, &login_user.tenant) {
                Err(fault) => fault,
                Ok(chosen) if login.idp().account().is_password(&login_user.user.id, &chosen).await? => {
                    PasswordFault::Unchanged
                }
                Ok(chosen) => return change(login, &chosen).await,
            };
            login.refuse(NAME, Problem::NewPassword(fault), None);
            login.store().await
        }
        .boxed()
    }
}

/// Changes the password. This login goes on, and so does the session that it is in; everything else that the old password
/// had opened ends.
async fn change(login: Login, chosen: &Chosen) -> Result<(Login, Outcome), Internal> {
    let Some(login_user) = login.user.clone() else { return Ok((login, Outcome::Conflict)) };
    let change = {
        let (participant, account) = (login.participant(&login_user), login.idp().account());
        account.new_password(&participant, chosen).await?
    };
    let written = login.write(move |mut login, tx| {
        let change = change.clone();
        async move {
            login.authorise(tx, CredentialChange::Password)?;
            let session = login.own_session().map(|session| session.id.clone());
            if !change.apply(tx, Spared { session: session.as_ref(), reset: None }).await? {
                return Err(storage::Error::Conflict);
            }
            login.carry_over(session.as_ref());
            if let Some(login_user) = &mut login.user {
                login_user.must_change_password = false;
                let user = login_user.user.id.clone();
                login.tell(Event::PasswordChanged { user });
            }
            login.interaction.progress.refusal = None;
            Ok(login)
        }
        .boxed()
    });
    written.await
}
