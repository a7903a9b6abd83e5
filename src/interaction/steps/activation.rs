//! An administrator without a second factor, where it is activated by mail: the login is blocked, and the one way on is a
//! mail to the address that is stored (SEED1-3, SEED1-7). Before the date it may be put off.

use axum::http::StatusCode;
use futures_util::FutureExt;

use crate::account::delivery::SendOutcome;
use crate::account::resets::Home;
use crate::domain::fact::FactKind;
use crate::domain::policy::{EnrolmentReason, Need};
use crate::domain::reset::ResetPurpose;
use crate::interaction::login::{Login, Outcome};
use crate::interaction::step::{Showing, Step, StepView, Submitting};
use crate::protocol::parameters::Parameters;
use crate::provider::Internal;
use crate::storage::users;
use crate::views::{self, Body, Form, RefusalReason, RefusedView};

pub(super) struct ActivationStep;

impl Step for ActivationStep {
    fn name(&self) -> &'static str {
        "blocked"
    }

    fn meets(&self, need: &Need) -> bool {
        matches!(need, Need::Activation { .. })
    }

    fn show<'a>(&'a self, login: &'a Login, need: &'a Need, form: Form) -> Showing<'a> {
        let shown = match (&login.user, need) {
            (Some(login_user), Need::Activation { reason }) => {
                let offered = login.idp().account().mails_resets(Some(&login_user.tenant));
                match login_user.user.address().filter(|_| offered) {
                    None => no_mail(login),
                    Some(address) => StepView::Page(Body::Blocked(views::BlockedView {
                        form,
                        address: address.masked(),
                        sent: login.interaction.progress.mailed,
                        optional: *reason == EnrolmentReason::OwnWish,
                        onward: login.address(self.name()),
                    })),
                }
            }
            _ => StepView::late(login),
        };
        async { Ok(shown) }.boxed()
    }

    fn submit<'a>(&'a self, mut login: Login, need: &'a Need, form: &'a Parameters) -> Submitting<'a> {
        async move {
            let Need::Activation { reason } = need else { return Ok((login, Outcome::Conflict)) };
            if *reason == EnrolmentReason::OwnWish && form.get("skip").is_some() {
                login.learn(FactKind::NoticeSeen { enrol: false });
            } else if form.get("enable").is_some() {
                return mail(login).await;
            }
            login.store().await
        }
        .boxed()
    }
}

/// Sends the mail. A second request within a minute gets the same answer, and no second mail.
async fn mail(login: Login) -> Result<(Login, Outcome), Internal> {
    let Some(login_user) = login.user.clone() else { return Ok((login, Outcome::Conflict)) };
    let found = users::credentials_by_id(&mut login.idp().db().read().tx(), &login_user.user.id).await?;
    let Some(found) = found else { return Ok((login, Outcome::Conflict)) };
    let home = Home {
        issuer: login.page_request.issuer.id.clone(),
        url: login.page_request.issuer.url.clone(),
        login: Some(login.interaction.id.clone()),
        client: Some(login.validated.client().id.clone()),
    };
    let link = login.idp().account().new_link(&found, &login_user.tenant, home, ResetPurpose::Activation)?;
    // Without an address the page has no button.
    let Ok(link) = link else { return login.store().await };
    let written = login.write(move |mut login, tx| {
        let link = link.clone();
        async move {
            login.interaction.progress.mailed = link.enqueue(tx).await? != SendOutcome::Impossible;
            Ok(login)
        }
        .boxed()
    });
    written.await
}

fn no_mail(login: &Login) -> StepView {
    let reference = Some(login.page_request.refuse("no_activation_mail", None));
    let refused = RefusedView { refusal: RefusalReason::NoActivation, detail: None, reference, back: None };
    StepView::Refusal(StatusCode::FORBIDDEN, Body::Refused(refused))
}
