//! The verdict on a second factor: wrong codes are counted, and after a few the login starts again.

use super::super::login::Login;
use super::links::FIRST;
use crate::account::factors::Verdict;
use crate::domain::event::Event;
use crate::domain::form::Problem;
use crate::domain::ids::Reference;
use crate::domain::interaction::RefusalCause;

/// Wrong codes in one login, after which it starts again with the password (functional specification 6.7).
const CODES: u32 = 5;

/// Notes the verdict on a second factor; returns whether it was right. A passkey that may be a copy is reported to the
/// observer alone: the user sees no more than that it was wrong.
pub(in crate::interaction) fn accepts(
    login: &mut Login,
    step: &'static str,
    verdict: Verdict,
    wrong: Problem,
    reference: Reference,
) -> bool {
    match verdict {
        Verdict::Right => {
            login.interaction.progress.resync = false;
            return true;
        }
        Verdict::Wrong => refuse_code(login, step, wrong, &reference),
        Verdict::Copied => {
            if let Some(login_user) = &login.user {
                let (issuer, user) = (login.interaction.issuer.clone(), login_user.user.id.clone());
                let reference = reference.clone();
                login.tell(Event::PasskeyCounterWentBack { issuer, user, reference });
            }
            refuse_code(login, step, wrong, &reference);
        }
        Verdict::Expired => login.refuse(step, Problem::CodeExpired, None),
        Verdict::Locked(until) => login.refuse(step, RefusalCause::Locked(until), Some(reference)),
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
    progress.wrong_codes = progress.wrong_codes.saturating_add(1);
    if progress.wrong_codes < CODES {
        login.refuse(step, wrong, Some(reference.clone()));
        return false;
    }
    progress.start_again();
    login.refuse(FIRST, Problem::StartedAgain, Some(reference.clone()));
    true
}

/// Notes a wrong code of a second factor.
fn refuse_code(login: &mut Login, step: &'static str, wrong: Problem, reference: &Reference) {
    let Some(login_user) = login.user.clone() else { return };
    if count_wrong_code(login, step, wrong, reference) {
        login.keep_names(login_user.tenant.domain.as_str(), login_user.user.username.as_str());
        login.user = None;
    }
    login.tell(Event::SecondFactorFailed {
        issuer: login.interaction.issuer.clone(),
        user: login_user.user.id,
        reference: reference.clone(),
    });
}
