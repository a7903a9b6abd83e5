//! The code of a second factor that is sent by SMS or mail, on the way back in: as in a login, once by itself and then by
//! a button.

use axum::response::Response;
use futures_util::FutureExt;

use super::holder::ResetSession;
use super::pages;
use crate::account::factors::CodeRequest;
use crate::domain::authenticator::Authenticator;
use crate::domain::message::Purpose;
use crate::interaction::sent;
use crate::provider::Internal;
use crate::storage::{self, resets};
use crate::views::{CodeSource, Form};

/// Must the page send a code before it is shown?
pub(super) fn is_due(holder: &ResetSession, authenticator: &Authenticator) -> bool {
    sent::is_due(holder.reset.progress.dispatch.as_ref(), authenticator)
}

/// Sends a code; the one before is void. The row is held by the write that notes it: of two pages opened at once one sends.
pub(super) async fn send(holder: &ResetSession, authenticator: &Authenticator) -> Result<Response, Internal> {
    let place = holder.reset.place();
    let code = holder.idp().account().code(&CodeRequest {
        login: &place,
        purpose: Purpose::SignIn,
        authenticator,
        tenant: &holder.tenant.id,
        account: holder.user.username.as_str(),
        locale: holder.user.locale().unwrap_or(holder.tenant.locale),
        host: holder.visitor.issuer.url.host(),
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
            let before = holder.reset.progress.dispatch.as_ref();
            reset.progress.dispatch = Some(sent::note(before, &authenticator, posted, holder.now));
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

/// Where the code comes from, as the page says it.
pub(super) async fn source(
    holder: &ResetSession,
    authenticator: &Authenticator,
    form: &mut Form,
) -> Result<CodeSource, Internal> {
    let noted = holder.reset.progress.dispatch.as_ref();
    sent::source(holder.idp(), noted, authenticator, holder.now, form).await
}
