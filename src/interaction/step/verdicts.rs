//! The verdict on a second factor: wrong codes are counted, and after a few the login starts again.

use super::super::login::Login;
use super::links::FIRST;
use crate::account::ceremony::SecondFactorAttempt;
use crate::account::factors::attempt::FactorVerdict;
use crate::domain::form::Problem;
use crate::domain::ids::Reference;
use crate::domain::interaction::RefusalCause;

/// Notes the verdict on a second factor; returns whether it was right. A passkey that may be a copy is reported to the
/// observer alone: the user sees no more than that it was wrong.
pub(in crate::interaction) fn accepts(
    login: &mut Login,
    step: &'static str,
    (attempt, verdict): (&SecondFactorAttempt, FactorVerdict),
    wrong: Problem,
    reference: &Reference,
) -> bool {
    if let Some(login_user) = &login.user {
        let events = attempt.events(verdict, &login.interaction.issuer, &login_user.user, reference);
        for event in events {
            login.tell(event);
        }
    }
    match verdict {
        FactorVerdict::Right => {
            login.interaction.progress.resync = false;
            return true;
        }
        FactorVerdict::Wrong | FactorVerdict::Copied => refuse_code(login, step, wrong, reference),
        FactorVerdict::Expired => login.refuse(step, Problem::CodeExpired, None),
        FactorVerdict::Locked(until) => {
            login.refuse(step, RefusalCause::Locked(until), Some(reference.clone()));
        }
    }
    false
}

/// Counts a wrong code; `true` if that was one too many, and the login starts again.
pub(in crate::interaction) fn count_wrong_code(
    login: &mut Login,
    step: &'static str,
    wrong: Problem,
    reference: &Reference,
) -> bool {
    let progress = &mut login.interaction.progress;
    if !progress.ceremony.count_wrong_code() {
        login.refuse(step, wrong, Some(reference.clone()));
        return false;
    }
    progress.start_again();
    login.refuse(FIRST, Problem::StartedAgain, Some(reference.clone()));
    true
}

fn refuse_code(login: &mut Login, step: &'static str, wrong: Problem, reference: &Reference) {
    let Some(login_user) = login.user.clone() else { return };
    if count_wrong_code(login, step, wrong, reference) {
        login.keep_names(login_user.tenant.domain.as_str(), login_user.user.username.as_str());
        login.user = None;
    }
}
