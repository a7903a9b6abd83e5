//! What all pages of an enrolment share: how long it may take, what voids it, and what its first code brings about.
//!
//! A secret stays the same for its login until it is void: after ten wrong codes or a quarter of an hour, when another
//! way is chosen, or when another enrolment of the same user is begun, for of two tabs one must win.

use std::ops::ControlFlow;

use futures_util::FutureExt;

use super::{email, enrol, phone};
use crate::account::ending::{self, Spared};
use crate::account::factors::{self, Confirmation, Confirmed};
use crate::account::holdings::{self, AuthenticatorSnapshot};
use crate::account::recovery::NewCodes;
use crate::crypto::random;
use crate::domain::authenticator::{Authenticator, Kind, Method};
use crate::domain::credential_change::CredentialChange;
use crate::domain::event::Event;
use crate::domain::fact::FactKind;
use crate::domain::ids::UserId;
use crate::domain::interaction::{Enrolment, Problem};
use crate::domain::policy::{EnrolmentReason, Need};
use crate::domain::time::Time;
use crate::interaction::finish::Outcome;
use crate::interaction::login::Login;
use crate::interaction::person::LoginUser;
use crate::protocol::parameters::Parameters;
use crate::provider::Internal;
use crate::storage::{self, Tx, authenticators};
use crate::views::Duty;

/// The reason in the pages' words.
pub(super) const fn duty(reason: EnrolmentReason) -> Duty {
    match reason {
        EnrolmentReason::Recovery => Duty::Replacement,
        EnrolmentReason::AdminDuty => Duty::Administrator,
        EnrolmentReason::TenantRule => Duty::Tenant,
        EnrolmentReason::ClientWish => Duty::Application,
        EnrolmentReason::OwnWish => Duty::Chosen,
    }
}

/// The enrolment of this login, as long as it is good.
pub(super) async fn begun(login: &Login, person: &LoginUser) -> Result<Option<factors::Enrolment>, Internal> {
    let begun = login.interaction.progress.enrolment.as_ref();
    Ok(login.idp().account().enrolment(&person.user.id, begun, login.now).await?)
}

/// What every page of an enrolment begins with: it is somebody's, and offers another way besides, and none where the
/// enrolment was the user's own wish.
pub(super) async fn enter(
    mut login: Login,
    need: &Need,
    form: &Parameters,
) -> Result<ControlFlow<(Login, Outcome), (Login, Box<LoginUser>)>, Internal> {
    let (Some(person), Need::Destination(due) | Need::Enrolment(due)) = (login.person.clone(), need) else {
        return Ok(ControlFlow::Break((login, Outcome::Conflict)));
    };
    if due.reason == EnrolmentReason::OwnWish && form.get("skip").is_some() {
        login.learn(FactKind::NoticeSeen { enrol: false });
        return Ok(ControlFlow::Break(login.store().await?));
    }
    if due.others && form.get("another").is_some() {
        login.interaction.progress.method = None;
        return Ok(ControlFlow::Break(abandon(login, &person).await?));
    }
    Ok(ControlFlow::Continue((login, person)))
}

/// Notes the enrolment of a new authenticator.
pub(super) fn note(login: &mut Login, authenticator: &Authenticator) {
    login.interaction.progress.enrolment = Some(Enrolment::begin(authenticator, login.now));
}

/// Begins an enrolment; one that was begun before is void.
pub(super) async fn begin(
    login: &Login,
    person: &LoginUser,
    kind: Kind,
) -> Result<(Login, Outcome), Internal> {
    let start = login.idp().account().start_enrolment(&person.user.id, kind)?;
    let mut login = login.clone();
    note(&mut login, &start.authenticator);
    let written = login.write(move |login, tx| {
        let start = start.clone();
        async move {
            start.settle(tx).await?;
            Ok(login)
        }
        .boxed()
    });
    written.await
}

/// Another way or another destination is chosen: what was begun is destroyed.
pub(super) async fn abandon(mut login: Login, person: &LoginUser) -> Result<(Login, Outcome), Internal> {
    let progress = &mut login.interaction.progress;
    (progress.enrolment, progress.refusal) = (None, None);
    let user = person.user.id.clone();
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

/// The next page begins anew, and says so.
pub(super) async fn void(mut login: Login) -> Result<(Login, Outcome), Internal> {
    note_void(&mut login);
    login.store().await
}

fn note_void(login: &mut Login) {
    let begun = login.interaction.progress.enrolment.take().map(|begun| begun.method);
    let (step, problem) = match begun {
        Some(Method::Sms) => (phone::NAME, Problem::DestinationVoid),
        Some(Method::Mail) => (email::NAME, Problem::DestinationVoid),
        _ => (enrol::NAME, Problem::EnrolmentVoid),
    };
    login.refuse(step, problem, None);
}

/// Takes what was typed as the first code.
pub(super) async fn prove(
    mut login: Login,
    person: Box<LoginUser>,
    enrolment: factors::Enrolment,
    code: &str,
    step: &'static str,
) -> Result<(Login, Outcome), Internal> {
    let confirmation = login.idp().account().confirmation(enrolment, &login.code_scope(), code)?;
    if let Some(confirmation) = confirmation {
        return confirm(login, person, confirmation, step).boxed().await;
    }
    note_wrong(&mut login, step);
    login.store().await
}

fn note_wrong(login: &mut Login, step: &str) {
    let reference = random::reference();
    let Some(enrolment) = &mut login.interaction.progress.enrolment else { return };
    if !enrolment.survives_wrong_code() {
        return note_void(login);
    }
    if let Some(person) = &login.person {
        let (issuer, user) = (login.interaction.issuer.clone(), person.user.id.clone());
        login.tell(Event::SecondFactorFailed { issuer, user, reference: reference.clone() });
    }
    login.refuse(step, Problem::WrongCode, Some(reference));
}

/// The first code proves the new authenticator, makes it the only one and is used up.
async fn confirm(
    login: Login,
    person: Box<LoginUser>,
    confirmation: Confirmation,
    step: &'static str,
) -> Result<(Login, Outcome), Internal> {
    let enrolled = Enrolled::new(&login, &person)?;
    let had_one = person.authenticator.is_some();
    let before = holdings(&login, person);
    let written = login.write(move |mut login, tx| {
        let (confirmation, before, enrolled) = (confirmation.clone(), before.clone(), enrolled.clone());
        async move {
            let method = confirmation.authenticator.kind.method();
            login.authorise(tx, CredentialChange::Enrolment(method)).await?;
            match confirmation.settle(tx, &before, login.now).await? {
                Confirmed::Yes => {}
                Confirmed::Wrong => {
                    note_wrong(&mut login, step);
                    return Ok(login);
                }
                Confirmed::Expired => {
                    login.refuse(step, Problem::CodeExpired, None);
                    return Ok(login);
                }
                Confirmed::Void => {
                    note_void(&mut login);
                    return Ok(login);
                }
            }
            if let Some(person) = &mut login.person {
                person.authenticator = Some(confirmation.authenticator);
                person.passkeys.retain(|passkey| before.lost.as_ref() != Some(&passkey.rp));
            }
            let supersedes = had_one || before.lost.is_some();
            enrolled.settle(&mut login, tx, confirmation.proves, supersedes).await?;
            Ok(login)
        }
        .boxed()
    });
    written.await
}

/// What the user holds when an enrolment ends: what is enrolled takes the place of what a recovery code said to be lost.
pub(super) fn holdings(login: &Login, person: Box<LoginUser>) -> AuthenticatorSnapshot {
    AuthenticatorSnapshot {
        ids: holdings::ids(person.authenticator.as_ref(), &person.passkeys),
        lost: person.rp.filter(|_| login.facts_proved_here().is_recovering()),
    }
}

/// What a new authenticator brings about in its login.
#[derive(Clone, Debug)]
pub(super) struct Enrolled {
    user: UserId,
    codes: NewCodes,
    at: Time,
}

impl Enrolled {
    pub(super) fn new(login: &Login, person: &LoginUser) -> Result<Self, Internal> {
        let LoginUser { user, tenant, .. } = person;
        let codes = login.idp().account().new_recovery_codes(user, tenant, &login.codes_row())?;
        Ok(Self { user: user.id.clone(), codes, at: login.proof_time(&user.id) })
    }

    /// Gives the user what comes with it. The new authenticator has proved this. If it supersedes another, whatever that
    /// one had opened ends, except this login and the session it is in.
    pub(super) async fn settle(
        self,
        login: &mut Login,
        tx: &mut Tx<'_>,
        proved: FactKind,
        supersedes: bool,
    ) -> storage::Result<()> {
        self.codes.settle(tx).await?;
        if supersedes {
            let session = login.own_session().map(|session| session.id.clone());
            ending::end(tx, &self.user, Spared { session: session.as_ref(), reset: None }).await?;
            login.carry_over(session.as_ref());
        }
        let progress = &mut login.interaction.progress;
        (progress.method, progress.enrolment) = (None, None);
        progress.recovery_codes = Some(self.codes.sealed);
        login.learn_at(&self.user, proved, self.at);
        login.tell(Event::AuthenticatorEnrolled { user: self.user });
        Ok(())
    }
}
