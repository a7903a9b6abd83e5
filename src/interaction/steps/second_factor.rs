//! The code of the second factor. It is asked for only after the password was right (SEED1-18).
//!
//! Where codes are sent, opening the page sends the first one, once in a login; further ones are sent by a button.

use futures_util::FutureExt;

use super::{Showing, Shown, Step, Taking, is_right, missing, passkey, recovery, resync, sending};
use crate::crypto::random;
use crate::domain::interaction::Problem;
use crate::domain::message::Purpose;
use crate::domain::policy::{FactorOptions, Need};
use crate::interaction::finish::Outcome;
use crate::interaction::login::Login;
use crate::interaction::{sent, trust};
use crate::protocol::parameters::Parameters;
use crate::views::{self, Body, Field, Form};

const NAME: &str = "second_factor";

/// The address of this page, where the user has something that makes or receives codes.
pub(super) fn way(login: &Login, need: &Need) -> Option<String> {
    SecondFactor.meets(need).then(|| login.address(NAME))
}

pub(super) struct SecondFactor;

impl Step for SecondFactor {
    fn name(&self) -> &'static str {
        NAME
    }

    fn meets(&self, need: &Need) -> bool {
        matches!(need, Need::SecondFactor { ways: FactorOptions { code: true, .. }, .. })
    }

    fn show<'a>(&'a self, login: &'a Login, need: &'a Need, mut form: Form) -> Showing<'a> {
        async move {
            let Some(person) = &login.person else { return Ok(Shown::late(login)) };
            let Some(authenticator) = &person.authenticator else { return Ok(Shown::late(login)) };
            if sending::is_due(login, authenticator) {
                let (login, end) =
                    sending::send(login.clone(), person, authenticator, Purpose::SignIn).await?;
                return Ok(Shown::Changed(Box::new(login), end));
            }
            let noted = login.interaction.progress.dispatch.as_ref();
            let source = sent::source(login.idp(), noted, authenticator, login.now, &mut form).await?;
            Ok(Shown::Page(Body::SecondFactor(views::SecondFactor {
                form,
                source,
                trust: trust::offered(person),
                digits: authenticator.kind.digits(),
                pin: authenticator.pin.as_ref().map(|pin| pin.position),
                resync: resync::is_offered(login).then(|| login.address(resync::NAME)),
                passkey: passkey::way(login, need),
                recovery: recovery::way(login).await?,
            })))
        }
        .boxed()
    }

    fn submit<'a>(&'a self, login: Login, _: &'a Need, form: &'a Parameters) -> Taking<'a> {
        async move {
            let Some(person) = login.person.clone() else { return Ok((login, Outcome::Conflict)) };
            if let Some(authenticator) = &person.authenticator
                && form.get("resend").is_some()
            {
                return sending::send(login, &person, authenticator, Purpose::SignIn).await;
            }
            let Some(code) = form.get("code") else { return missing(login, NAME, &[Field::Code]).await };
            let scope = login.code_scope();
            let attempt = login.idp().account().code_attempt(&person.user.id, &scope, code).await?;
            let Some(attempt) = attempt else { return Ok((login, Outcome::Conflict)) };
            let trust = trust::wanted(&login, &person, form);
            let user = person.user.id;
            let (reference, at) = (random::reference(), login.proof_time(&user));
            let written = login.write(move |mut login, tx| {
                let (attempt, reference) = (attempt.clone(), reference.clone());
                let (user, trust) = (user.clone(), trust.clone());
                async move {
                    let verdict = attempt.settle(tx, login.now).await?;
                    if is_right(&mut login, NAME, verdict, Problem::WrongCode, reference) {
                        login.learn_at(&user, attempt.proves, at);
                        trust::settle(&mut login, tx, trust).await?;
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
