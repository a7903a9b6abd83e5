//! The code of a second factor that is sent by SMS or mail, on the way back in: as in a login, once by itself and then by
//! a button.

use axum::response::Response;
use futures_util::FutureExt;

use super::holder::Holder;
use super::pages;
use crate::account::delivery::{Posted, RESEND};
use crate::account::factors::Wish;
use crate::domain::authenticator::Authenticator;
use crate::domain::interaction::{Dispatch, Dispatched};
use crate::domain::message::{Delivery, Purpose};
use crate::http::Internal;
use crate::storage::{self, resets};
use crate::views::{CodeSource, Form, Problem, SentCode};

/// Must the page send a code before it is shown?
pub(super) fn is_due(holder: &Holder, authenticator: &Authenticator) -> bool {
    authenticator.kind.destination().is_some() && dispatch(holder, authenticator).is_none()
}

fn dispatch<'a>(holder: &'a Holder, authenticator: &Authenticator) -> Option<&'a Dispatch> {
    holder.reset.progress.dispatch.as_ref().filter(|sent| sent.authenticator == authenticator.id)
}

/// Sends a code; the one before is void. The row is held by the write that notes it: of two pages opened at once one sends.
pub(super) async fn send(holder: &Holder, authenticator: &Authenticator) -> Result<Response, Internal> {
    let place = holder.reset.place();
    let code = holder.idp().account().code(&Wish {
        login: &place,
        purpose: Purpose::SignIn,
        authenticator,
        tenant: &holder.tenant.id,
        account: holder.user.username.as_str(),
        locale: holder.user.locale().unwrap_or(holder.tenant.locale),
        host: holder.visitor.issuer.url.host(),
        network: holder.visitor.network.as_deref(),
    })?;
    let Some(code) = code else { return Ok(pages::onward(holder)) };
    let (before, authenticator) = (holder.clone(), authenticator.clone());
    let written = holder.idp().db().write(move |tx| {
        let (holder, code, authenticator) = (before.clone(), code.clone(), authenticator.clone());
        async move {
            if !resets::save(tx, &holder.reset).await? {
                return Err(storage::Error::Conflict);
            }
            let posted = code.settle(tx).await?;
            let mut reset = holder.reset.clone();
            reset.version += 1;
            reset.progress.dispatch = Some(noted(&holder, &authenticator, posted));
            resets::save(tx, &reset).await
        }
        .boxed()
    });
    match written.await {
        Err(storage::Error::Conflict) => {}
        written => drop(written?),
    }
    Ok(pages::onward(holder))
}

/// What became of it. A code that is out stays good when another may not be sent yet.
fn noted(holder: &Holder, authenticator: &Authenticator, posted: Posted) -> Dispatch {
    let before = dispatch(holder, authenticator).map(|sent| sent.outcome.clone());
    let (outcome, again_at) = match posted {
        Posted::Queued(message) => (Dispatched::Sent(message), holder.now.plus(RESEND.per)),
        Posted::Wait(until) => (before.unwrap_or(Dispatched::Held), until),
        Posted::Impossible => (Dispatched::Impossible, holder.now),
    };
    Dispatch { authenticator: authenticator.id.clone(), outcome, again_at }
}

/// Where the code comes from, as the page says it; what went wrong with it joins the form's problems.
pub(super) async fn source(
    holder: &Holder,
    authenticator: &Authenticator,
    form: &mut Form,
) -> Result<CodeSource, Internal> {
    let Some((channel, destination)) = authenticator.kind.destination() else {
        return Ok(CodeSource::Application);
    };
    let sent = dispatch(holder, authenticator);
    let problem = match sent.map(|sent| &sent.outcome) {
        Some(Dispatched::Sent(message)) => match holder.idp().account().delivery(message).await? {
            Some(Delivery::Failed(_)) => Some(Problem::CodeNotSent),
            _ => None,
        },
        Some(Dispatched::Held) => Some(Problem::TooManyCodes),
        Some(Dispatched::Impossible) | None => Some(Problem::CodeNotSent),
    };
    form.problems.extend(problem);
    let again_at = sent.map_or(holder.now, |sent| sent.again_at);
    Ok(CodeSource::Sent(SentCode {
        channel,
        destination,
        is_out: problem.is_none(),
        again_at,
        now: holder.now,
    }))
}
