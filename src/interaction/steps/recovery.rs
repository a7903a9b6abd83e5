//! A recovery code in context of the authenticator that is lost; a new authenticator follows in the same login.

use futures_util::FutureExt;

use crate::crypto::random;
use crate::domain::event::Event;
use crate::domain::fact::FactKind;
use crate::domain::form::Problem;
use crate::domain::message::Notice;
use crate::domain::policy::Need;
use crate::interaction::login::{Login, Outcome};
use crate::interaction::step::refusals::missing;
use crate::interaction::step::verdicts::accepts;
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
            let notice = login.idp().account().notice(
                &login_user.user,
                &login_user.tenant,
                Notice::RecoveryCodeUsed,
            )?;
            let user = login_user.user.id;
            let attempt = login.idp().account().recovery_attempt(&user, code);
            let (reference, at) = (random::reference(), login.proof_time(&user));
            let written = login.write(move |mut login, tx| {
                let (attempt, reference, user) = (attempt.clone(), reference.clone(), user.clone());
                let notice = notice.clone();
                async move {
                    let verdict = attempt.settle(tx, login.now).await?;
                    if accepts(&mut login, NAME, verdict, Problem::WrongRecoveryCode, reference) {
                        login.learn_at(&user, FactKind::RecoveryCode, at);
                        if let Some(notice) = notice {
                            notice.settle(tx).await?;
                        }
                        login.tell(Event::RecoveryCodeUsed { user });
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
