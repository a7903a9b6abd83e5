//! The code of the authenticator application. It is asked for only after the password was right (SEED1-18).

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::{Shown, Step, missing, with_refusal, wrong_code};
use crate::account::factors::Verdict;
use crate::crypto::random;
use crate::domain::interaction::Problem;
use crate::domain::policy::Need;
use crate::http::Internal;
use crate::interaction::finish::End;
use crate::interaction::login::Login;
use crate::protocol::parameters::Parameters;
use crate::storage::recovery_codes;
use crate::views::{self, Body, Field, Form};

const NAME: &str = "second_factor";

pub(super) struct SecondFactor;

impl Step for SecondFactor {
    fn name(&self) -> &'static str {
        NAME
    }

    fn meets(&self, need: &Need) -> bool {
        matches!(need, Need::SecondFactor { .. })
    }

    fn show<'a>(
        &'a self,
        login: &'a Login,
        _: &'a Need,
        form: Form,
    ) -> BoxFuture<'a, Result<Shown, Internal>> {
        async move {
            let form = match with_refusal(login, NAME, form) {
                Ok(form) => form,
                Err(wait) => return Ok(*wait),
            };
            let Some(person) = &login.person else { return Ok(Shown::late(login)) };
            let left =
                recovery_codes::left(&mut login.idp().db().read().await?.tx(), &person.user.id).await?;
            let recovery = (left > 0).then(|| login.address(super::recovery::NAME));
            Ok(Shown::Page(Body::SecondFactor(views::SecondFactor { form, recovery })))
        }
        .boxed()
    }

    fn submit<'a>(
        &'a self,
        login: Login,
        _: &'a Need,
        form: &'a Parameters,
    ) -> BoxFuture<'a, Result<(Login, End), Internal>> {
        async move {
            let Some(code) = form.get("code") else { return missing(login, NAME, &[Field::Code]).await };
            let Some(person) = login.person.clone() else { return Ok((login, End::Late)) };
            let attempt = login.idp().account().code_attempt(&person.user.id, code).await?;
            let Some(attempt) = attempt else { return Ok((login, End::Late)) };
            let (reference, at) = (random::reference(), login.proof_time(&person.user.id));
            let written = login.write(move |mut login, tx| {
                let (attempt, reference) = (attempt.clone(), reference.clone());
                async move {
                    match attempt.settle(tx, login.now).await? {
                        Verdict::Right => login.learn_at(attempt.proves, at),
                        Verdict::Wrong => wrong_code(&mut login, NAME, Problem::WrongCode, &reference),
                        Verdict::Locked(until) => login.refuse(NAME, Problem::Locked(until), Some(reference)),
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
