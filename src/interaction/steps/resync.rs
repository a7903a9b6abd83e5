//! Resynchronises a device whose clock or counter has drifted, by two codes that it shows one after the other. They prove
//! the second factor, and are used up.
//!
//! It is offered after a wrong code, where the tenant allows it: off by default, like every action of the self-service, and
//! on this page because the users who need it cannot pass it. It changes a credential, so the first factor must have been
//! proved in this login: who is here with a session alone is asked for it, and then comes back.

use futures_util::FutureExt;

use super::{Showing, Shown, Step, Taking, is_right, missing};
use crate::crypto::random;
use crate::domain::credential_change::CredentialChange;
use crate::domain::interaction::Problem;
use crate::domain::policy::{FactorOptions, Need};
use crate::interaction::finish::Outcome;
use crate::interaction::login::Login;
use crate::protocol::parameters::Parameters;
use crate::views::{self, Body, Field, Form};

pub(in crate::interaction) const NAME: &str = "resync";

pub(super) struct Resync;

/// May this login resynchronise the user's device?
pub(in crate::interaction) fn is_offered(login: &Login) -> bool {
    let progress = &login.interaction.progress;
    let wanted = progress.wrong_codes > 0 || progress.resync;
    login.person.as_ref().is_some_and(|person| {
        let drifts = person.authenticator.as_ref().is_some_and(|device| device.kind.has_secret());
        wanted && drifts && person.tenant.policy.resync
    })
}

/// Has the first factor been proved for it?
const fn is_due(need: &Need) -> bool {
    matches!(need, Need::SecondFactor { ways: FactorOptions { resync: true, .. }, .. })
}

impl Step for Resync {
    fn name(&self) -> &'static str {
        NAME
    }

    fn meets(&self, need: &Need) -> bool {
        matches!(need, Need::SecondFactor { .. })
    }

    fn show<'a>(&'a self, login: &'a Login, need: &'a Need, form: Form) -> Showing<'a> {
        async move {
            if !is_offered(login) {
                return Ok(Shown::late(login));
            }
            if !is_due(need) {
                let mut login = login.clone();
                login.interaction.progress.resync = true;
                let (login, end) = login.store().await?;
                return Ok(Shown::Changed(Box::new(login), end));
            }
            let second_factor = login.address(super::asking(need));
            Ok(Shown::Page(Body::Resync(views::Resync { form, second_factor })))
        }
        .boxed()
    }

    fn submit<'a>(&'a self, login: Login, need: &'a Need, form: &'a Parameters) -> Taking<'a> {
        async move {
            if !is_offered(&login) || !is_due(need) {
                return Ok((login, Outcome::Conflict));
            }
            let typed = |field: Field| form.get(field.name()).unwrap_or_default();
            let fields = [Field::Code, Field::NextCode];
            let empty: Vec<_> = fields.into_iter().filter(|&field| typed(field).is_empty()).collect();
            if !empty.is_empty() {
                return missing(login, NAME, &empty).await;
            }
            let Some(person) = login.person.clone() else { return Ok((login, Outcome::Conflict)) };
            let (user, account) = (person.user.id, login.idp().account());
            let attempt = account.resync_attempt(&user, typed(Field::Code), typed(Field::NextCode)).await?;
            let Some(attempt) = attempt else { return Ok((login, Outcome::Conflict)) };
            let (reference, at) = (random::reference(), login.proof_time(&user));
            let written = login.write(move |mut login, tx| {
                let (attempt, reference, user) = (attempt.clone(), reference.clone(), user.clone());
                async move {
                    login.authorise(tx, CredentialChange::Resynchronisation).await?;
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
