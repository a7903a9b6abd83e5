//! What all pages of an enrolment share: how long it may take, what voids it, and what its first code brings about.
//!
//! A secret stays the same for its login until it is void: after ten wrong codes or a quarter of an hour, when another
//! way is chosen, or when another enrolment of the same user is begun, for of two tabs one must win.

use std::time::Duration;

use futures_util::FutureExt;

use crate::account::factors::{self, Confirmation, Confirmed};
use crate::crypto::random;
use crate::domain::authenticator::Kind;
use crate::domain::event::Event;
use crate::domain::interaction::{Enrolment, Problem};
use crate::domain::policy::EnrolmentReason;
use crate::http::Internal;
use crate::interaction::finish::End;
use crate::interaction::login::Login;
use crate::interaction::person::Person;
use crate::storage::authenticators;
use crate::views::Duty;

/// Wrong codes that void an enrolment.
const CODES: u32 = 10;
/// How long it waits for its first code.
const PATIENCE: Duration = Duration::from_mins(15);

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
pub(super) async fn begun(login: &Login, person: &Person) -> Result<Option<factors::Enrolment>, Internal> {
    let begun = login.interaction.progress.enrolment.as_ref();
    match begun.filter(|begun| begun.started_at.plus(PATIENCE) > login.now) {
        Some(begun) => Ok(login.idp().account().enrolment(&person.user.id, &begun.authenticator).await?),
        None => Ok(None),
    }
}

/// Begins an enrolment; one that was begun before is void.
pub(super) async fn begin(login: &Login, person: &Person, kind: Kind) -> Result<(Login, End), Internal> {
    let start = login.idp().account().start_enrolment(&person.user.id, kind)?;
    let mut login = login.clone();
    login.interaction.progress.enrolment = Some(Enrolment {
        authenticator: start.authenticator.id.clone(),
        method: start.authenticator.kind.method(),
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
    written.await
}

/// Another way is chosen: what was begun is destroyed.
pub(super) async fn choose_another(mut login: Login, person: Person) -> Result<(Login, End), Internal> {
    let progress = &mut login.interaction.progress;
    (progress.method, progress.enrolment, progress.refusal) = (None, None, None);
    let written = login.write(move |login, tx| {
        let user = person.user.id.clone();
        async move {
            authenticators::remove_pending(tx, &user).await?;
            Ok(login)
        }
        .boxed()
    });
    written.await
}

/// The next page begins anew, and says so.
pub(super) async fn void(mut login: Login, step: &str) -> Result<(Login, End), Internal> {
    login.interaction.progress.enrolment = None;
    login.refuse(step, Problem::EnrolmentVoid, None);
    login.store().await
}

/// The code was wrong.
pub(super) async fn wrong(mut login: Login, step: &str) -> Result<(Login, End), Internal> {
    note_wrong(&mut login, step);
    login.store().await
}

fn note_wrong(login: &mut Login, step: &str) {
    let reference = random::reference();
    let Some(enrolment) = &mut login.interaction.progress.enrolment else { return };
    enrolment.wrong_codes = enrolment.wrong_codes.saturating_add(1);
    if enrolment.wrong_codes >= CODES {
        login.interaction.progress.enrolment = None;
        return login.refuse(step, Problem::EnrolmentVoid, None);
    }
    if let Some(person) = &login.person {
        let (issuer, user) = (login.interaction.issuer.clone(), person.user.id.clone());
        login.tell(Event::SecondFactorFailed { issuer, user, reference: reference.clone() });
    }
    login.refuse(step, Problem::WrongCode, Some(reference));
}

/// The first code proves the new authenticator, makes it the only one and is used up; recovery codes come with it.
pub(super) async fn confirm(
    login: Login,
    person: Person,
    confirmation: Confirmation,
    step: &'static str,
) -> Result<(Login, End), Internal> {
    let user = person.user.id;
    let codes = login.idp().account().new_recovery_codes(&user);
    let sealed = login.idp().sealer().seal(codes.shown().as_bytes(), &login.codes_row())?;
    let (at, replaced) = (login.proof_time(&user), person.authenticator.map(|old| old.id));
    let written = login.write(move |mut login, tx| {
        let (confirmation, codes, sealed) = (confirmation.clone(), codes.clone(), sealed.clone());
        let (user, replaced) = (user.clone(), replaced.clone());
        async move {
            match confirmation.settle(tx, replaced.as_ref(), login.now).await? {
                Confirmed::Yes => {}
                Confirmed::Wrong => {
                    note_wrong(&mut login, step);
                    return Ok(login);
                }
                Confirmed::Void => {
                    login.interaction.progress.enrolment = None;
                    login.refuse(step, Problem::EnrolmentVoid, None);
                    return Ok(login);
                }
            }
            codes.settle(tx, &user).await?;
            let progress = &mut login.interaction.progress;
            (progress.method, progress.enrolment) = (None, None);
            progress.recovery_codes = Some(sealed);
            if let Some(person) = &mut login.person {
                person.authenticator = Some(confirmation.authenticator);
            }
            login.learn_at(confirmation.proves, at);
            login.tell(Event::AuthenticatorEnrolled { user });
            Ok(login)
        }
        .boxed()
    });
    written.await
}
