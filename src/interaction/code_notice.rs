//! What became of the code that a page asked to be sent, and what the page says of it: in a login and in a reset alike.

use crate::account::delivery::{RESEND, SendOutcome};
use crate::domain::authenticator::Authenticator;
use crate::domain::interaction::{CodeDelivery, Dispatched};
use crate::domain::message::Delivery;
use crate::domain::time::Time;
use crate::provider::{Idp, Internal};
use crate::views::{CodeSource, Form, Problem, SentCode};

/// What is noted of a code to this authenticator.
fn to<'a>(noted: Option<&'a CodeDelivery>, authenticator: &Authenticator) -> Option<&'a CodeDelivery> {
    noted.filter(|sent| sent.authenticator == authenticator.id)
}

/// Must the page send a code before it is shown? Once: what became of it does not matter.
pub(super) fn is_due(noted: Option<&CodeDelivery>, authenticator: &Authenticator) -> bool {
    authenticator.kind.destination().is_some() && to(noted, authenticator).is_none()
}

/// The note of what became of another one. A code that is out stays good when another may not be sent yet.
pub(super) fn note(
    before: Option<&CodeDelivery>,
    authenticator: &Authenticator,
    posted: SendOutcome,
    now: Time,
) -> CodeDelivery {
    let before = to(before, authenticator).map(|sent| sent.outcome.clone());
    let (outcome, again_at) = match posted {
        SendOutcome::Queued(message) => (Dispatched::Sent(message), now.plus(RESEND.per)),
        SendOutcome::Wait(until) => (before.unwrap_or(Dispatched::Held), until),
        SendOutcome::Impossible => (Dispatched::Impossible, now),
    };
    CodeDelivery { authenticator: authenticator.id.clone(), outcome, again_at }
}

/// What the page says of the code; what went wrong with it joins the form's problems. `None`: the device makes the codes.
pub(super) async fn shown(
    idp: &Idp,
    noted: Option<&CodeDelivery>,
    authenticator: &Authenticator,
    now: Time,
    form: &mut Form,
) -> Result<Option<SentCode>, Internal> {
    let Some((channel, destination)) = authenticator.kind.destination() else { return Ok(None) };
    let sent = to(noted, authenticator);
    let problem = match sent.map(|sent| &sent.outcome) {
        Some(Dispatched::Sent(message)) => match idp.account().delivery(message).await? {
            Some(Delivery::Failed(_)) => Some(Problem::CodeNotSent),
            _ => None,
        },
        Some(Dispatched::Held) => Some(Problem::TooManyCodes),
        Some(Dispatched::Impossible) | None => Some(Problem::CodeNotSent),
    };
    form.problems.extend(problem);
    let again_at = sent.map_or(now, |sent| sent.again_at);
    Ok(Some(SentCode { channel, destination, is_out: problem.is_none(), again_at, now }))
}

/// Where the code of a second factor comes from, as the page says it.
pub(super) async fn source(
    idp: &Idp,
    noted: Option<&CodeDelivery>,
    authenticator: &Authenticator,
    now: Time,
    form: &mut Form,
) -> Result<CodeSource, Internal> {
    Ok(match shown(idp, noted, authenticator, now, form).await? {
        Some(sent) => CodeSource::Sent(sent),
        None if authenticator.serial.is_some() => CodeSource::Device,
        None => CodeSource::Application,
    })
}
