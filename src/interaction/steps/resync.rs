//! A device that has run away from us is found again by two codes that it shows one after the other; both count as the
//! second factor, and are used up.
//!
//! It is offered after a code was wrong, and where the tenant allows it: later the Resource's action of that name will say.
//! Off unless somebody switches it on, like every such action; on this page because who needs it gets no further.

use futures_util::FutureExt;

use super::{Showing, Shown, Step, Taking, is_right, missing};
use crate::crypto::random;
use crate::domain::interaction::Problem;
use crate::domain::policy::Need;
use crate::interaction::finish::End;
use crate::interaction::login::Login;
use crate::protocol::parameters::Parameters;
use crate::views::{self, Body, Field, Form};

pub(super) const NAME: &str = "resync";

pub(super) struct Resync;

/// May this login find the device again?
pub(super) fn is_offered(login: &Login) -> bool {
    let failed = login.interaction.progress.wrong_codes > 0;
    login.person.as_ref().is_some_and(|person| {
        let runs_away = person.authenticator.as_ref().is_some_and(|device| device.kind.has_secret());
        failed && runs_away && person.tenant.policy.resync
    })
}

impl Step for Resync {
    fn name(&self) -> &'static str {
        NAME
    }

    fn meets(&self, need: &Need) -> bool {
        matches!(need, Need::SecondFactor { .. })
    }

    fn show<'a>(&'a self, login: &'a Login, need: &'a Need, form: Form) -> Showing<'a> {
        let shown = if is_offered(login) {
            let second_factor = login.address(super::asking(need));
            Shown::Page(Body::Resync(views::Resync { form, second_factor }))
        } else {
            Shown::late(login)
        };
        async { Ok(shown) }.boxed()
    }

    fn submit<'a>(&'a self, login: Login, _: &'a Need, form: &'a Parameters) -> Taking<'a> {
        async move {
            if !is_offered(&login) {
                return Ok((login, End::Late));
            }
            let typed = |field: Field| form.get(field.name()).unwrap_or_default();
            let fields = [Field::Code, Field::NextCode];
            let empty: Vec<_> = fields.into_iter().filter(|&field| typed(field).is_empty()).collect();
            if !empty.is_empty() {
                return missing(login, NAME, &empty).await;
            }
            let Some(person) = login.person.clone() else { return Ok((login, End::Late)) };
            let (user, account) = (person.user.id, login.idp().account());
            let attempt = account.resync_attempt(&user, typed(Field::Code), typed(Field::NextCode)).await?;
            let Some(attempt) = attempt else { return Ok((login, End::Late)) };
            let (reference, at) = (random::reference(), login.proof_time(&user));
            let written = login.write(move |mut login, tx| {
                let (attempt, reference, user) = (attempt.clone(), reference.clone(), user.clone());
                async move {
                    let verdict = attempt.settle(tx, login.now).await?;
                    if is_right(&mut login, NAME, verdict, Problem::WrongCodes, reference) {
                        login.learn_at(&user, attempt.proves, at);
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
