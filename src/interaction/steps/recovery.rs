//! A recovery code in place of the authenticator that is lost; a new authenticator follows in the same login.

use futures_util::FutureExt;

use super::{Showing, Shown, Step, Taking, is_right, missing};
use crate::crypto::random;
use crate::domain::event::Event;
use crate::domain::fact::FactKind;
use crate::domain::interaction::Problem;
use crate::domain::message::Notice;
use crate::domain::policy::Need;
use crate::interaction::finish::Outcome;
use crate::interaction::login::Login;
use crate::protocol::parameters::Parameters;
use crate::provider::Internal;
use crate::storage::recovery_codes;
use crate::views::{self, Body, Field, Form};

pub(super) const NAME: &str = "recovery";

pub(super) struct Recovery;

/// The address of this page, if there is a recovery code left to type there.
pub(super) async fn way(login: &Login) -> Result<Option<String>, Internal> {
    let Some(person) = &login.person else { return Ok(None) };
    let left = recovery_codes::left(&mut login.idp().db().read().tx(), &person.user.id).await?;
    Ok((left > 0).then(|| login.address(NAME)))
}

impl Step for Recovery {
    fn name(&self) -> &'static str {
        NAME
    }

    fn meets(&self, need: &Need) -> bool {
        matches!(need, Need::SecondFactor { .. })
    }

    fn show<'a>(&'a self, login: &'a Login, need: &'a Need, form: Form) -> Showing<'a> {
        let asking = super::asking(need);
        let second_factor = (asking != NAME).then(|| login.address(asking));
        async { Ok(Shown::Page(Body::Recovery(views::Recovery { form, second_factor }))) }.boxed()
    }

    fn submit<'a>(&'a self, login: Login, _: &'a Need, form: &'a Parameters) -> Taking<'a> {
        async move {
            let Some(code) = form.get("code") else {
                return missing(login, NAME, &[Field::RecoveryCode]).await;
            };
            let Some(person) = login.person.clone() else { return Ok((login, Outcome::Conflict)) };
            let notice =
                login.idp().account().notice(&person.user, &person.tenant, Notice::RecoveryCodeUsed)?;
            let user = person.user.id;
            let attempt = login.idp().account().recovery_attempt(&user, code);
            let (reference, at) = (random::reference(), login.proof_time(&user));
            let written = login.write(move |mut login, tx| {
                let (attempt, reference, user) = (attempt.clone(), reference.clone(), user.clone());
                let notice = notice.clone();
                async move {
                    let verdict = attempt.settle(tx, login.now).await?;
                    if is_right(&mut login, NAME, verdict, Problem::WrongRecoveryCode, reference) {
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
