//! A new authenticator: its secret is shown until the first code from it is right (SEED0-10, SEED1-10).
//!
//! The secret is made when the page is first opened and stays the same for this login. Ten wrong codes or a quarter of
//! an hour void it; so does the start of another enrolment of the same user, for of two tabs one must win.

use std::time::Duration;

use axum::http::StatusCode;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::{Shown, Step, missing, with_refusal};
use crate::account::factors::Confirmation;
use crate::crypto::random;
use crate::domain::authenticator::Method;
use crate::domain::event::Event;
use crate::domain::fact::FactKind;
use crate::domain::interaction::{Enrolment, Problem};
use crate::domain::policy::{EnrolmentReason, Need};
use crate::http::Internal;
use crate::interaction::finish::End;
use crate::interaction::login::Login;
use crate::interaction::person::Person;
use crate::protocol::parameters::Parameters;
use crate::views::{self, Body, Duty, Field, Form, Refusal, Refused};

const NAME: &str = "enrol";
/// Wrong codes that void a secret.
const CODES: u32 = 10;
/// How long a secret waits for its first code.
const PATIENCE: Duration = Duration::from_mins(15);

pub(super) struct Enrol;

impl Step for Enrol {
    fn name(&self) -> &'static str {
        NAME
    }

    fn meets(&self, need: &Need) -> bool {
        matches!(need, Need::Enrolment(_))
    }

    fn show<'a>(
        &'a self,
        login: &'a Login,
        need: &'a Need,
        form: Form,
    ) -> BoxFuture<'a, Result<Shown, Internal>> {
        async move {
            let (Some(person), Need::Enrolment(reason)) = (&login.person, need) else {
                return Ok(Shown::late(login));
            };
            if !person.tenant.policy.methods.contains(&Method::Totp) {
                return Ok(no_method(login));
            }
            let Some(enrolment) = begun(login, person).await? else {
                return start(login, person).await;
            };
            let form = match with_refusal(login, NAME, form) {
                Ok(form) => form,
                Err(wait) => return Ok(*wait),
            };
            let account = person.user.username.to_string();
            let uri = enrolment.uri(&person.tenant.name, &account).map(|uri| uri.to_string());
            Ok(Shown::Page(Body::Enrol(views::Enrol {
                form,
                duty: duty(*reason),
                uri: uri.unwrap_or_default(),
                secret: enrolment.groups(),
                account,
            })))
        }
        .boxed()
    }

    fn submit<'a>(
        &'a self,
        mut login: Login,
        need: &'a Need,
        form: &'a Parameters,
    ) -> BoxFuture<'a, Result<(Login, End), Internal>> {
        async move {
            if *need == Need::Enrolment(EnrolmentReason::OwnWish) && form.get("skip").is_some() {
                login.learn(FactKind::NoticeSeen { enrol: false });
                return login.store().await;
            }
            let Some(code) = form.get("code") else { return missing(login, NAME, &[Field::Code]).await };
            let Some(person) = login.person.clone() else { return Ok((login, End::Late)) };
            match begun(&login, &person).await? {
                None => void(login).await,
                Some(enrolment) => match enrolment.confirmation(code, login.now) {
                    None => wrong(login).await,
                    Some(confirmation) => confirm(login, person, confirmation).await,
                },
            }
        }
        .boxed()
    }
}

const fn duty(reason: EnrolmentReason) -> Duty {
    match reason {
        EnrolmentReason::Recovery => Duty::Replacement,
        EnrolmentReason::AdminDuty => Duty::Administrator,
        EnrolmentReason::TenantRule => Duty::Tenant,
        EnrolmentReason::ClientWish => Duty::Application,
        EnrolmentReason::OwnWish => Duty::Chosen,
    }
}

fn no_method(login: &Login) -> Shown {
    let reference = Some(login.visitor.refuse("no_mfa_method", None));
    let refused = Refused { refusal: Refusal::NoMethod, detail: None, reference, back: None };
    Shown::Refusal(StatusCode::FORBIDDEN, Body::Refused(refused))
}

/// The enrolment of this login, as long as its secret is good.
async fn begun(
    login: &Login,
    person: &Person,
) -> Result<Option<crate::account::factors::Enrolment>, Internal> {
    let begun = login.interaction.progress.enrolment.as_ref();
    match begun.filter(|begun| begun.started_at.plus(PATIENCE) > login.now) {
        Some(begun) => {
            Ok(login.idp().account().totp_enrolment(&person.user.id, &begun.authenticator).await?)
        }
        None => Ok(None),
    }
}

/// Makes a secret, then shows the page again.
async fn start(login: &Login, person: &Person) -> Result<Shown, Internal> {
    let start = login.idp().account().totp_start(&person.user.id)?;
    let mut login = login.clone();
    if login.interaction.progress.enrolment.is_some() {
        login.refuse(NAME, Problem::EnrolmentVoid, None);
    }
    login.interaction.progress.enrolment = Some(Enrolment {
        authenticator: start.authenticator.id.clone(),
        started_at: login.now,
        wrong_codes: 0,
    });
    let written = login.write(move |login, tx| {
        let start = start.clone();
        async move {
            start.settle(tx).await?;
            Ok(login)
        }
        .boxed()
    });
    let (login, end) = written.await?;
    Ok(Shown::Changed(Box::new(login), end))
}

/// The next page has a new secret, and says so.
async fn void(mut login: Login) -> Result<(Login, End), Internal> {
    login.interaction.progress.enrolment = None;
    login.refuse(NAME, Problem::EnrolmentVoid, None);
    login.store().await
}

async fn wrong(mut login: Login) -> Result<(Login, End), Internal> {
    let Some(enrolment) = &mut login.interaction.progress.enrolment else { return void(login).await };
    enrolment.wrong_codes = enrolment.wrong_codes.saturating_add(1);
    if enrolment.wrong_codes >= CODES {
        return void(login).await;
    }
    let reference = random::reference();
    if let Some(person) = &login.person {
        let (issuer, user) = (login.interaction.issuer.clone(), person.user.id.clone());
        login.tell(Event::SecondFactorFailed { issuer, user, reference: reference.clone() });
    }
    login.refuse(NAME, Problem::WrongCode, Some(reference));
    login.store().await
}

/// The first code proves the new authenticator, makes it the only one and is used up; recovery codes come with it.
async fn confirm(login: Login, person: Person, confirmation: Confirmation) -> Result<(Login, End), Internal> {
    let user = person.user.id;
    let codes = login.idp().account().new_recovery_codes(&user);
    let sealed = login.idp().sealer().seal(codes.shown().as_bytes(), &login.codes_row())?;
    let (at, replaced) = (login.proof_time(&user), person.authenticator);
    let written = login.write(move |mut login, tx| {
        let (confirmation, codes, sealed) = (confirmation.clone(), codes.clone(), sealed.clone());
        let (user, replaced) = (user.clone(), replaced.clone());
        async move {
            login.interaction.progress.enrolment = None;
            if !confirmation.settle(tx, replaced.as_ref()).await? {
                login.refuse(NAME, Problem::EnrolmentVoid, None);
                return Ok(login);
            }
            codes.settle(tx, &user).await?;
            login.interaction.progress.recovery_codes = Some(sealed);
            if let Some(person) = &mut login.person {
                person.authenticator = Some(confirmation.authenticator.clone());
            }
            login.learn_at(FactKind::Otp(confirmation.authenticator), at);
            login.tell(Event::AuthenticatorEnrolled { user });
            Ok(login)
        }
        .boxed()
    });
    written.await
}
