//! What all pages of an enrolment share: how it begins, what voids it, and what its proof activates.
//!
//! A secret stays the same for its login until it is void: after ten wrong codes or a quarter of an hour, when another
//! way is chosen, or when another enrolment of the same user is begun, for of two tabs one must win.

use std::ops::ControlFlow;

use futures_util::FutureExt;

use super::super::login::{Login, Outcome};
use super::super::login_user::LoginUser;
use super::links;
use crate::account::authenticator_snapshot::{self, AuthenticatorSnapshot};
use crate::account::ceremony::{EnrolmentOutcome, NewAuthenticator, Proved};
use crate::account::ending::Spared;
use crate::account::factors::enrolment::PendingAuthenticator;
use crate::crypto::random;
use crate::domain::authenticator::{AuthenticatorKind, Method};
use crate::domain::credential_change::CredentialChange;
use crate::domain::event::Event;
use crate::domain::fact::FactKind;
use crate::domain::form::Problem;
use crate::domain::ids::{SessionId, UserId};
use crate::domain::policy::{EnrolmentReason, Need};
use crate::domain::time::Time;
use crate::protocol::parameters::Parameters;
use crate::provider::Internal;
use crate::storage::authenticators;
use crate::views::Duty;

/// The reason in the pages' words.
pub(in crate::interaction) const fn duty(reason: EnrolmentReason) -> Duty {
    match reason {
        EnrolmentReason::Recovery => Duty::Replacement,
        EnrolmentReason::AdminDuty => Duty::Administrator,
        EnrolmentReason::TenantRule => Duty::Tenant,
        EnrolmentReason::ClientWish => Duty::Application,
        EnrolmentReason::OwnWish => Duty::Chosen,
    }
}

/// The authenticator that this login enrols, as long as it waits for its first code.
pub(in crate::interaction) async fn pending(
    login: &Login,
    login_user: &LoginUser,
) -> Result<Option<PendingAuthenticator>, Internal> {
    Ok(login.idp().account().enrolment(&login_user.user.id, login.ceremony()).await?)
}

/// The beginning of every post of an enrolment: the user may choose another method, or skip what was their own wish.
pub(in crate::interaction) async fn enter(
    mut login: Login,
    need: &Need,
    form: &Parameters,
) -> Result<ControlFlow<(Login, Outcome), (Login, Box<LoginUser>)>, Internal> {
    let (Some(login_user), Need::Destination(due) | Need::Enrolment(due)) = (login.user.clone(), need) else {
        return Ok(ControlFlow::Break((login, Outcome::Conflict)));
    };
    if due.reason == EnrolmentReason::OwnWish && form.get("skip").is_some() {
        login.learn(FactKind::NoticeSeen { enrol: false });
        return Ok(ControlFlow::Break(login.store().await?));
    }
    if due.others && form.get("another").is_some() {
        login.interaction.progress.method = None;
        return Ok(ControlFlow::Break(abandon(login, &login_user).await?));
    }
    Ok(ControlFlow::Continue((login, login_user)))
}

/// Begins an enrolment; one that was begun before is void.
pub(in crate::interaction) async fn begin(
    login: &Login,
    login_user: &LoginUser,
    kind: AuthenticatorKind,
) -> Result<(Login, Outcome), Internal> {
    let start = login.idp().account().start_enrolment(&login_user.user.id, kind)?;
    let mut login = login.clone();
    let now = login.now;
    login.interaction.progress.ceremony.begin_enrolment(&start.authenticator, now);
    let written = login.write(move |login, tx| {
        let start = start.clone();
        async move {
            start.store(tx).await?;
            Ok(login)
        }
        .boxed()
    });
    written.await
}

/// Destroys what was begun: another method or another destination is chosen.
pub(in crate::interaction) async fn abandon(
    mut login: Login,
    login_user: &LoginUser,
) -> Result<(Login, Outcome), Internal> {
    let progress = &mut login.interaction.progress;
    (progress.ceremony.enrolment, progress.refusal) = (None, None);
    let user = login_user.user.id.clone();
    let written = login.write(move |login, tx| {
        let user = user.clone();
        async move {
            authenticators::remove_pending(tx, &user).await?;
            Ok(login)
        }
        .boxed()
    });
    written.await
}

/// Begins the enrolment again with the next page, which says so.
pub(in crate::interaction) async fn void(mut login: Login) -> Result<(Login, Outcome), Internal> {
    note_void(&mut login);
    login.store().await
}

fn note_void(login: &mut Login) {
    let begun = login.interaction.progress.ceremony.enrolment.take().map(|begun| begun.method);
    let problem = match begun {
        Some(Method::Sms | Method::Mail) => Problem::DestinationVoid,
        _ => Problem::EnrolmentVoid,
    };
    login.refuse(links::enrolment(begun), problem, None);
}

/// Takes what was typed as the first code.
pub(in crate::interaction) async fn prove(
    mut login: Login,
    login_user: Box<LoginUser>,
    pending: PendingAuthenticator,
    code: &str,
    step: &'static str,
) -> Result<(Login, Outcome), Internal> {
    let confirmation = login.idp().account().confirmation(pending, login.ceremony(), code)?;
    if let Some(confirmation) = confirmation {
        let method = confirmation.authenticator.kind.method();
        return finish(login, login_user, method, Proved::Code(confirmation), step).boxed().await;
    }
    note_wrong(&mut login, step);
    login.store().await
}

fn note_wrong(login: &mut Login, step: &str) {
    let reference = random::reference();
    let Some(enrolment) = &mut login.interaction.progress.ceremony.enrolment else { return };
    if !enrolment.survives_wrong_code() {
        return note_void(login);
    }
    if let Some(login_user) = &login.user {
        let (issuer, user) = (login.interaction.issuer.clone(), login_user.user.id.clone());
        login.tell(Event::SecondFactorFailed { issuer, user, reference: reference.clone() });
    }
    login.refuse(step, Problem::WrongCode, Some(reference));
}

/// Activates the new authenticator by its proof, which is a second factor of this login too. If it supersedes another,
/// everything ends that the other one had opened, except this login and the session it is in.
pub(in crate::interaction) async fn finish(
    login: Login,
    login_user: Box<LoginUser>,
    method: Method,
    proved: Proved,
    step: &'static str,
) -> Result<(Login, Outcome), Internal> {
    let new = new_authenticator(&login, &login_user, proved)?;
    let user = login_user.user.id;
    let at = login.proof_time(&user);
    let written = login.write(move |mut login, tx| {
        let (new, user) = (new.clone(), user.clone());
        async move {
            login.authorise(tx, CredentialChange::Enrolment(method))?;
            let session = login.own_session().map(|session| session.id.clone());
            let spared = Spared { session: session.as_ref(), reset: None };
            let ceremony = &mut login.interaction.progress.ceremony;
            match new.activate(tx, ceremony, spared, login.now).await? {
                EnrolmentOutcome::Enrolled => note_enrolled(&mut login, new, session.as_ref(), user, at),
                EnrolmentOutcome::WrongCode => note_wrong(&mut login, step),
                EnrolmentOutcome::CodeExpired => login.refuse(step, Problem::CodeExpired, None),
                EnrolmentOutcome::Void => note_void(&mut login),
                EnrolmentOutcome::PasskeyRefused => {
                    login.refuse(step, Problem::WrongPasskey, Some(random::reference()));
                }
            }
            Ok(login)
        }
        .boxed()
    });
    written.await
}

/// The new authenticator, beside those that the user holds. It takes the place of what a recovery code said to be lost, and
/// one with codes the place of the other one with codes.
fn new_authenticator(
    login: &Login,
    login_user: &LoginUser,
    proved: Proved,
) -> Result<NewAuthenticator, Internal> {
    let lost = login_user.rp.clone().filter(|_| login.facts_proved_here().is_recovering());
    let replaces_codes = matches!(proved, Proved::Code(_)) && login_user.authenticator.is_some();
    let supersedes = replaces_codes || lost.is_some();
    let ids = authenticator_snapshot::ids(login_user.authenticator.as_ref(), &login_user.passkeys);
    let (participant, before) = (login.participant(login_user), AuthenticatorSnapshot { ids, lost });
    let account = login.idp().account();
    Ok(account.new_authenticator(&participant, proved, before, supersedes, &login.codes_row())?)
}

fn note_enrolled(
    login: &mut Login,
    new: NewAuthenticator,
    session: Option<&SessionId>,
    user: UserId,
    at: Time,
) {
    let proves = new.proves().clone();
    if new.supersedes {
        login.carry_over(session);
    }
    if let Some(login_user) = &mut login.user {
        new.update(&mut login_user.authenticator, &mut login_user.passkeys);
    }
    login.interaction.progress.method = None;
    login.learn_at(&user, proves, at);
    login.tell(Event::AuthenticatorEnrolled { user });
}
