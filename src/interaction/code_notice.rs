//! What a page says of the code that it asks for: where it was sent and whether it went, in a login and in a reset alike.

use crate::domain::authenticator::Authenticator;
use crate::domain::ceremony::{Ceremony, CodeDelivery, Dispatched};
use crate::domain::message::Delivery;
use crate::domain::time::Time;
use crate::provider::{Idp, Internal};
use crate::views::{CodeSource, Form, Problem, SentCode};

/// The delivery of a code to this authenticator.
fn to<'a>(ceremony: &'a Ceremony, authenticator: &Authenticator) -> Option<&'a CodeDelivery> {
    ceremony.delivery.as_ref().filter(|sent| sent.authenticator == authenticator.id)
}

/// Whether the page must send a code before it is shown. It does so once, whether or not the code can be sent.
pub(super) fn is_due(ceremony: &Ceremony, authenticator: &Authenticator) -> bool {
    authenticator.kind.destination().is_some() && to(ceremony, authenticator).is_none()
}

/// What the page says of the code; what went wrong with it joins the form's problems. `None` for a device that makes the
/// codes itself.
pub(super) async fn shown(
    idp: &Idp,
    ceremony: &Ceremony,
    authenticator: &Authenticator,
    now: Time,
    form: &mut Form,
) -> Result<Option<SentCode>, Internal> {
    let Some((channel, destination)) = authenticator.kind.destination() else { return Ok(None) };
    let sent = to(ceremony, authenticator);
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
    ceremony: &Ceremony,
    authenticator: &Authenticator,
    now: Time,
    form: &mut Form,
) -> Result<CodeSource, Internal> {
    Ok(match shown(idp, ceremony, authenticator, now, form).await? {
        Some(sent) => CodeSource::Sent(sent),
        None if authenticator.serial.is_some() => CodeSource::Device,
        None => CodeSource::Application,
    })
}
