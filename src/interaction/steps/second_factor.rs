//! The code of the second factor. It is asked for only after the password was right (SEED1-18).
//!
//! Where codes are sent, opening the page sends the first one, once in a login; further ones are sent by a button.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::{Shown, Step, is_right, missing, resync, sending, with_refusal};
use crate::crypto::random;
use crate::domain::interaction::Problem;
use crate::domain::message::Purpose;
use crate::domain::policy::Need;
use crate::http::Internal;
use crate::interaction::finish::End;
use crate::interaction::login::Login;
use crate::interaction::{sent, trust};
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
            let mut form = match with_refusal(login, NAME, form) {
                Ok(form) => form,
                Err(wait) => return Ok(*wait),
            };
            let Some(person) = &login.person else { return Ok(Shown::late(login)) };
            let Some(authenticator) = &person.authenticator else { return Ok(Shown::late(login)) };
            if sending::is_due(login, authenticator) {
                let (login, end) =
                    sending::send(login.clone(), person, authenticator, Purpose::SignIn).await?;
                return Ok(Shown::Changed(Box::new(login), end));
            }
            let noted = login.interaction.progress.dispatch.as_ref();
            let source = sent::source(login.idp(), noted, authenticator, login.now, &mut form).await?;
            let pin = authenticator.pin.as_ref().map(|pin| pin.position);
            let digits = authenticator.kind.digits();
            let resync = resync::is_offered(login).then(|| login.address(resync::NAME));
            let left =
                recovery_codes::left(&mut login.idp().db().read().await?.tx(), &person.user.id).await?;
            let recovery = (left > 0).then(|| login.address(super::recovery::NAME));
            Ok(Shown::Page(Body::SecondFactor(views::SecondFactor {
                form,
                source,
                trust: trust::offered(person),
                digits,
                pin,
                resync,
                recovery,
            })))
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
            let Some(person) = login.person.clone() else { return Ok((login, End::Late)) };
            if let Some(authenticator) = &person.authenticator
                && form.get("resend").is_some()
            {
                return sending::send(login, &person, authenticator, Purpose::SignIn).await;
            }
            let Some(code) = form.get("code") else { return missing(login, NAME, &[Field::Code]).await };
            let (user, id) = (&person.user.id, &login.interaction.id);
            let attempt = login.idp().account().code_attempt(user, id, code).await?;
            let Some(attempt) = attempt else { return Ok((login, End::Late)) };
            let (reference, at) = (random::reference(), login.proof_time(&person.user.id));
            let trust = trust::wanted(&login, &person, form);
            let written = login.write(move |mut login, tx| {
                let (attempt, reference, trust) = (attempt.clone(), reference.clone(), trust.clone());
                async move {
                    let verdict = attempt.settle(tx, login.now).await?;
                    if is_right(&mut login, NAME, verdict, Problem::WrongCode, reference) {
                        login.learn_at(attempt.proves, at);
                        if let Some(trust) = trust {
                            trust.settle(tx).await?;
                            login.trusted = Some(trust.secret);
                        }
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
