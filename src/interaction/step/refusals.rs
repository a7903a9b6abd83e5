//! Posts that do not lead on: what was wrong is noted in the login, and shown on the page that follows.

use super::super::login::{Login, Outcome};
use crate::domain::form::{Field, Problem};
use crate::domain::interaction::{Refusal, RefusalCause};
use crate::provider::Internal;
use crate::views::{Form, WaitView};

/// Fills in what was wrong with the last post; a lock is a page of its own.
pub(in crate::interaction) fn with_refusal(
    login: &Login,
    step: &str,
    mut form: Form,
) -> Result<Form, WaitView> {
    let Some(Refusal { cause, reference, .. }) = login.refusal(step) else { return Ok(form) };
    form.reference.clone_from(reference);
    match cause {
        RefusalCause::Locked(until) if *until > login.now => {
            let retry = Some(login.address(step));
            return Err(WaitView { until: *until, now: login.now, retry, reference: form.reference });
        }
        // The page for an account that is not linked says so by itself.
        RefusalCause::Locked(_) | RefusalCause::NotLinked => {}
        RefusalCause::Form(problems) => form.problems.extend_from_slice(problems),
    }
    Ok(form)
}

/// Refuses a post that cannot be checked because a field is empty.
pub(in crate::interaction) async fn missing(
    mut login: Login,
    step: &'static str,
    empty: &[Field],
) -> Result<(Login, Outcome), Internal> {
    let problems = empty.iter().copied().map(Problem::Missing).collect();
    login.refuse(step, RefusalCause::Form(problems), None);
    login.store().await
}

/// Refuses a post with a field that does not hold what it is for.
pub(in crate::interaction) async fn invalid(
    mut login: Login,
    step: &'static str,
    field: Field,
) -> Result<(Login, Outcome), Internal> {
    login.refuse(step, Problem::Invalid(field), None);
    login.store().await
}
