//! Resynchronises a device whose clock or counter has drifted, by two codes that it shows one after the other. They prove
//! the second factor, and are used up.
//!
//! It is offered after a wrong code, where the tenant allows it: off by default, like every action of the self-service, and
//! on this page because the users who need it cannot pass it. It changes a credential, so the first factor must have been
//! proved in this login: a user who has only a session is asked for it first.

use futures_util::FutureExt;

use crate::account::ceremony::SecondFactorProof;
use crate::crypto::random;
use crate::domain::credential_change::CredentialChange;
use crate::domain::event::Event;
use crate::domain::form::Problem;
use crate::domain::policy::{FactorOptions, Need};
use crate::interaction::login::{Login, Outcome};
use crate::interaction::step::refusals::missing;
use crate::interaction::step::verdicts::accepts;
use crate::interaction::step::{Showing, Step, StepView, Submitting, links};
use crate::protocol::parameters::Parameters;
use crate::views::{self, Body, Field, Form};

const NAME: &str = links::RESYNC;

pub(super) struct ResyncStep;

/// Whether the first factor has been proved for it.
const fn is_due(need: &Need) -> bool {
    matches!(need, Need::SecondFactor { ways: FactorOptions { resync: true, .. }, .. })
}

impl Step for ResyncStep {
    fn name(&self) -> &'static str {
        NAME
    }

    fn meets(&self, need: &Need) -> bool {
        matches!(need, Need::SecondFactor { .. })
    }

    fn show<'a>(&'a self, login: &'a Login, need: &'a Need, form: Form) -> Showing<'a> {
        async move {
            if !login.may_resynchronise() {
                return Ok(StepView::late(login));
            }
            if !is_due(need) {
                let mut login = login.clone();
                login.interaction.progress.resync = true;
                let (login, outcome) = login.store().await?;
                return Ok(StepView::Changed(Box::new(login), outcome));
            }
            let second_factor = login.address(links::first_factor_page(need));
            Ok(StepView::Page(Body::Resync(views::ResyncView { form, second_factor })))
        }
        .boxed()
    }

    fn submit<'a>(&'a self, login: Login, need: &'a Need, form: &'a Parameters) -> Submitting<'a> {
        async move {
            if !login.may_resynchronise() || !is_due(need) {
                return Ok((login, Outcome::Conflict));
            }
            let typed = |field: Field| form.get(field.name()).unwrap_or_default();
            let fields = [Field::Code, Field::NextCode];
            let empty: Vec<_> = fields.into_iter().filter(|&field| typed(field).is_empty()).collect();
            if !empty.is_empty() {
                return missing(login, NAME, &empty).await;
            }
            let Some(login_user) = login.user.clone() else { return Ok((login, Outcome::Conflict)) };
            let attempt = {
                let proof = SecondFactorProof::Resynchronisation(typed(Field::Code), typed(Field::NextCode));
                let (participant, account) = (login.participant(&login_user), login.idp().account());
                account.second_factor_attempt(&participant, login.ceremony(), proof).await?
            };
            let Some(attempt) = attempt else { return Ok((login, Outcome::Conflict)) };
            let user = login_user.user.id;
            let (reference, at) = (random::reference(), login.proof_time(&user));
            let written = login.write(move |mut login, tx| {
                let (attempt, reference, user) = (attempt.clone(), reference.clone(), user.clone());
                async move {
                    login.authorise(tx, CredentialChange::Resynchronisation)?;
                    let verdict = attempt.consume(tx, login.now).await?;
                    let tried = (&attempt, verdict);
                    let is_right = accepts(&mut login, NAME, tried, Problem::WrongCodes, &reference);
                    if let Some(fact) = attempt.proves().filter(|_| is_right) {
                        login.learn_at(&user, fact, at);
                        login.tell(Event::UserChanged { user, change: "resynchronised" });
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
