//! What the pages share on which a code is sent and asked for.
//!
//! Sending and its note in the login are one write, which holds the login first: of two pages that are opened at once one
//! sends a code, and the other shows that it was sent.

use futures_util::FutureExt;

use super::enrolling;
use crate::account::delivery::{Posted, RESEND};
use crate::account::factors::{Start, Wish};
use crate::domain::authenticator::{Authenticator, Kind};
use crate::domain::interaction::{Dispatch, Dispatched};
use crate::domain::message::{Delivery, Purpose};
use crate::http::Internal;
use crate::interaction::finish::End;
use crate::interaction::login::Login;
use crate::interaction::person::Person;
use crate::storage::{self, interactions};
use crate::views::{Form, Problem, SentCode};

/// Must the page send a code before it is shown? Once in a login: what became of it does not matter.
pub(super) fn is_due(login: &Login, authenticator: &Authenticator) -> bool {
    authenticator.kind.destination().is_some() && dispatch(login, authenticator).is_none()
}

fn dispatch<'a>(login: &'a Login, authenticator: &Authenticator) -> Option<&'a Dispatch> {
    login.interaction.progress.dispatch.as_ref().filter(|sent| sent.authenticator == authenticator.id)
}

/// Begins the enrolment of a destination, and sends its first code there.
pub(super) async fn begin(login: Login, person: &Person, kind: Kind) -> Result<(Login, End), Internal> {
    let start = login.idp().account().start_enrolment(&person.user.id, kind)?;
    let mut login = login;
    enrolling::note(&mut login, &start.authenticator);
    let authenticator = start.authenticator.clone();
    write(login, person, &authenticator, Purpose::Address, Some(start)).await
}

/// Sends a code to an authenticator that there is; the one before is void.
pub(super) async fn send(
    login: Login,
    person: &Person,
    authenticator: &Authenticator,
    purpose: Purpose,
) -> Result<(Login, End), Internal> {
    write(login, person, authenticator, purpose, None).await
}

async fn write(
    login: Login,
    person: &Person,
    authenticator: &Authenticator,
    purpose: Purpose,
    start: Option<Start>,
) -> Result<(Login, End), Internal> {
    let wish = Wish {
        login: &login.interaction.id,
        purpose,
        authenticator,
        tenant: &person.tenant.id,
        account: person.user.username.as_str(),
        locale: person.user.locale().unwrap_or_else(|| login.locale()),
        host: login.visitor.issuer.url.host(),
        network: login.visitor.network.as_deref(),
    };
    let Some(code) = login.idp().account().code(&wish)? else { return Ok((login, End::Late)) };
    let authenticator = authenticator.clone();
    let written = login.write(move |mut login, tx| {
        let (code, start, authenticator) = (code.clone(), start.clone(), authenticator.clone());
        async move {
            if !interactions::hold(tx, &login.interaction).await? {
                return Err(storage::Error::Conflict);
            }
            if let Some(start) = start {
                start.settle(tx).await?;
            }
            let posted = code.settle(tx).await?;
            note(&mut login, &authenticator, posted);
            Ok(login)
        }
        .boxed()
    });
    written.await
}

/// Notes what became of it. A code that is out stays good when another may not be sent yet.
fn note(login: &mut Login, authenticator: &Authenticator, posted: Posted) {
    let before = dispatch(login, authenticator).map(|sent| sent.outcome.clone());
    let (outcome, again_at) = match posted {
        Posted::Queued(message) => (Dispatched::Sent(message), login.now.plus(RESEND.per)),
        Posted::Wait(until) => (before.unwrap_or(Dispatched::Held), until),
        Posted::Impossible => (Dispatched::Impossible, login.now),
    };
    let authenticator = authenticator.id.clone();
    let progress = &mut login.interaction.progress;
    progress.refusal = None;
    progress.dispatch = Some(Dispatch { authenticator, outcome, again_at });
}

/// What the page says of the code; what went wrong with it joins the form's problems. `None`: the device makes the codes.
pub(super) async fn shown(
    login: &Login,
    authenticator: &Authenticator,
    form: &mut Form,
) -> Result<Option<SentCode>, Internal> {
    let Some((channel, destination)) = authenticator.kind.destination() else { return Ok(None) };
    let problem = match dispatch(login, authenticator).map(|sent| &sent.outcome) {
        Some(Dispatched::Sent(message)) => match login.idp().account().delivery(message).await? {
            Some(Delivery::Failed(_)) => Some(Problem::CodeNotSent),
            _ => None,
        },
        Some(Dispatched::Held) => Some(Problem::TooManyCodes),
        Some(Dispatched::Impossible) | None => Some(Problem::CodeNotSent),
    };
    form.problems.extend(problem);
    let again_at = dispatch(login, authenticator).map_or(login.now, |sent| sent.again_at);
    Ok(Some(SentCode { channel, destination, is_out: problem.is_none(), again_at, now: login.now }))
}
