//! A passkey or security key as the second factor.
//!
//! The browser is asked once for each time that the page is opened anew; an answer, right or wrong, uses the question up.

use futures_util::FutureExt;

use super::{Showing, Shown, Step, Taking, is_right, recovery, second_factor};
use crate::account::passkeys::Place;
use crate::crypto::random;
use crate::domain::interaction::Problem;
use crate::domain::passkey::{Ceremony, Purpose};
use crate::domain::policy::{FactorOptions, Need};
use crate::interaction::finish::Outcome;
use crate::interaction::login::Login;
use crate::interaction::trust;
use crate::protocol::parameters::Parameters;
use crate::provider::Internal;
use crate::views::{self, Body, Field, Form};

const NAME: &str = "passkey";

pub(super) struct Passkey;

/// The address of this page, where the user has a passkey for it.
pub(super) fn way(login: &Login, need: &Need) -> Option<String> {
    Passkey.meets(need).then(|| login.address(NAME))
}

impl Step for Passkey {
    fn name(&self) -> &'static str {
        NAME
    }

    fn meets(&self, need: &Need) -> bool {
        matches!(need, Need::SecondFactor { ways: FactorOptions { passkey: true, .. }, .. })
    }

    fn show<'a>(&'a self, login: &'a Login, need: &'a Need, form: Form) -> Showing<'a> {
        async move {
            let Some(asked) = login.interaction.progress.asked(Purpose::Prove) else {
                return ask(login).await;
            };
            let (options, code) = (asked.options.clone(), second_factor::way(login, need));
            let recovery = recovery::way(login).await?;
            let trust = login.person.as_deref().and_then(trust::offered);
            Ok(Shown::Page(Body::Passkey(views::Passkey { form, options, trust, code, recovery })))
        }
        .boxed()
    }

    fn submit<'a>(&'a self, mut login: Login, _: &'a Need, form: &'a Parameters) -> Taking<'a> {
        async move {
            let Some(answer) = answer(form) else { return not_asked(login, NAME).await };
            let asked = login.interaction.progress.take_asked(Purpose::Prove);
            let (Some(asked), Some(person)) = (asked, login.person.clone()) else {
                return Ok((login, Outcome::Conflict));
            };
            let issuer = login.visitor.issuer.clone();
            let Some(place) = Place::of(&issuer) else { return Ok((login, Outcome::Conflict)) };
            let trust = trust::wanted(&login, &person, form);
            let user = person.user.id;
            let attempt =
                login.idp().account().passkey_attempt(&place, &user, &person.passkeys, &asked, answer)?;
            let (reference, at) = (random::reference(), login.proof_time(&user));
            let written = login.write(move |mut login, tx| {
                let (attempt, reference) = (attempt.clone(), reference.clone());
                let (user, trust) = (user.clone(), trust.clone());
                async move {
                    let verdict = attempt.settle(tx, login.now).await?;
                    let is_right = is_right(&mut login, NAME, verdict, Problem::WrongPasskey, reference);
                    if let Some(fact) = attempt.proves().filter(|_| is_right) {
                        login.learn_at(&user, fact, at);
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

/// What the script put into the form. `None`: there was no script to do so.
pub(super) fn answer(form: &Parameters) -> Option<&str> {
    form.get(Field::Credential.name())
}

/// The form was sent without the browser's having been asked; the question stands.
pub(super) async fn not_asked(mut login: Login, step: &str) -> Result<(Login, Outcome), Internal> {
    login.refuse(step, Problem::NoPasskey, None);
    login.store().await
}

/// Stores what the browser is asked, then shows the page again.
pub(super) async fn asked(login: &Login, ceremony: Ceremony) -> Result<Shown, Internal> {
    let mut login = login.clone();
    login.interaction.progress.ceremony = Some(ceremony);
    let (login, end) = login.store().await?;
    Ok(Shown::Changed(Box::new(login), end))
}

async fn ask(login: &Login) -> Result<Shown, Internal> {
    let issuer = login.visitor.issuer.clone();
    let (Some(place), Some(person)) = (Place::of(&issuer), &login.person) else {
        return Ok(Shown::late(login));
    };
    let ceremony = place.ask_for_passkey(&person.passkeys)?;
    asked(login, ceremony).await
}
