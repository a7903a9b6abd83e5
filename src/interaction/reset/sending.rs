//! The code of a second factor that is sent by SMS or mail, on the way back in: as in a login, once by itself and then by
//! a button.

use axum::response::Response;
use futures_util::FutureExt;

use super::pages;
use super::session::ResetSession;
use crate::account::factors::CodeRequest;
use crate::domain::authenticator::Authenticator;
use crate::domain::message::Purpose;
use crate::interaction::code_notice;
use crate::provider::Internal;
use crate::storage::{self, resets};
use crate::views::{CodeSource, Form};

/// Must the page send a code before it is shown?
pub(super) fn is_due(session: &ResetSession, authenticator: &Authenticator) -> bool {
    code_notice::is_due(session.reset.progress.dispatch.as_ref(), authenticator)
}

/// Sends a code; the one before is void. The row is held by the write that notes it: of two pages opened at once one sends.
pub(super) async fn send(
    session: &ResetSession,
    authenticator: &Authenticator,
) -> Result<Response, Internal> {
    let place = session.reset.place();
    let code = session.idp().account().code(&CodeRequest {
        login: &place,
        purpose: Purpose::SignIn,
        authenticator,
        tenant: &session.tenant.id,
        account: session.user.username.as_str(),
        locale: session.user.locale().unwrap_or(session.tenant.locale),
        host: session.page_request.issuer.url.host(),
    })?;
    let Some(code) = code else { return Ok(pages::onward(session)) };
    let (before, authenticator) = (session.clone(), authenticator.clone());
    let written = session.idp().db().write(move |tx| {
        let (session, code, authenticator) = (before.clone(), code.clone(), authenticator.clone());
        async move {
            if !resets::save(tx, &session.reset).await? {
                return Err(storage::Error::Conflict);
            }
            let posted = code.settle(tx).await?;
            let mut reset = session.reset.clone();
            reset.version += 1;
            let before = session.reset.progress.dispatch.as_ref();
            reset.progress.dispatch = Some(code_notice::note(before, &authenticator, posted, session.now));
            resets::save(tx, &reset).await
        }
        .boxed()
    });
    match written.await {
        Err(storage::Error::Conflict) => {}
        written => drop(written?),
    }
    Ok(pages::onward(session))
}

/// Where the code comes from, as the page says it.
pub(super) async fn source(
    session: &ResetSession,
    authenticator: &Authenticator,
    form: &mut Form,
) -> Result<CodeSource, Internal> {
    let noted = session.reset.progress.dispatch.as_ref();
    code_notice::source(session.idp(), noted, authenticator, session.now, form).await
}
