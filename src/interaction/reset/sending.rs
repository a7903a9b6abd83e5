//! The code of a second factor that is sent by SMS or mail, once by itself and then by a button, as in a login.

use futures_util::FutureExt;

use super::reply::Reply;
use super::session::ResetSession;
use crate::domain::authenticator::Authenticator;
use crate::domain::message::CodePurpose;
use crate::provider::Internal;
use crate::storage::{self, resets};

/// Sends a code; the code before it is void. The row is held by the write that notes it: of two pages opened at once one
/// sends.
pub(super) async fn send(session: &ResetSession, authenticator: &Authenticator) -> Result<Reply, Internal> {
    let (participant, ceremony) = (session.participant(), session.ceremony());
    let code = session.idp().account().code(&participant, ceremony, CodePurpose::SignIn, authenticator)?;
    let Some(code) = code else { return Ok(Reply::onward(session.clone())) };
    let (reset, now) = (session.reset.clone(), session.now);
    let written = session.idp().db().write(move |tx| {
        let (mut reset, code) = (reset.clone(), code.clone());
        async move {
            if !resets::save(tx, &reset).await? {
                return Err(storage::Error::Conflict);
            }
            reset.version += 1;
            code.send(tx, &mut reset.progress.ceremony, now).await?;
            resets::save(tx, &reset).await
        }
        .boxed()
    });
    match written.await {
        Err(storage::Error::Conflict) => {}
        written => drop(written?),
    }
    Ok(Reply::onward(session.clone()))
}
