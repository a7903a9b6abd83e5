//! What the pages share on which a code is sent and asked for.
//!
//! Sending and its note in the login are one write, which holds the login first: of two pages that are opened at once one
//! sends a code, and the other shows that it was sent.

use futures_util::FutureExt;

use super::enrolling;
use crate::account::factors::{CodeRequest, Start};
use crate::domain::authenticator::{Authenticator, Kind};
use crate::domain::message::Purpose;
use crate::interaction::code_notice;
use crate::interaction::login::Login;
use crate::interaction::login::Outcome;
use crate::interaction::login_user::LoginUser;
use crate::provider::Internal;
use crate::storage::{self, interactions};
use crate::views::{Form, SentCode};

/// Must the page send a code before it is shown?
pub(in crate::interaction) fn is_due(login: &Login, authenticator: &Authenticator) -> bool {
    code_notice::is_due(login.interaction.progress.dispatch.as_ref(), authenticator)
}

/// Begins the enrolment of a destination, and sends its first code there.
pub(in crate::interaction) async fn begin(
    login: Login,
    login_user: &LoginUser,
    kind: Kind,
) -> Result<(Login, Outcome), Internal> {
    let start = login.idp().account().start_enrolment(&login_user.user.id, kind)?;
    let mut login = login;
    enrolling::note(&mut login, &start.authenticator);
    let authenticator = start.authenticator.clone();
    write(login, login_user, &authenticator, Purpose::Address, Some(start)).await
}

/// Sends a code to an authenticator that there is; the one before is void.
pub(in crate::interaction) async fn send(
    login: Login,
    login_user: &LoginUser,
    authenticator: &Authenticator,
    purpose: Purpose,
) -> Result<(Login, Outcome), Internal> {
    write(login, login_user, authenticator, purpose, None).await
}

async fn write(
    login: Login,
    login_user: &LoginUser,
    authenticator: &Authenticator,
    purpose: Purpose,
    start: Option<Start>,
) -> Result<(Login, Outcome), Internal> {
    let scope = login.code_scope();
    let wish = CodeRequest {
        login: &scope,
        purpose,
        authenticator,
        tenant: &login_user.tenant.id,
        account: login_user.user.username.as_str(),
        locale: login_user.user.locale().unwrap_or_else(|| login.locale()),
        host: login.page_request.issuer.url.host(),
    };
    let Some(code) = login.idp().account().code(&wish)? else { return Ok((login, Outcome::Conflict)) };
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
            let progress = &mut login.interaction.progress;
            progress.refusal = None;
            progress.dispatch =
                Some(code_notice::note(progress.dispatch.as_ref(), &authenticator, posted, login.now));
            Ok(login)
        }
        .boxed()
    });
    written.await
}

/// What the page says of the code.
pub(in crate::interaction) async fn shown(
    login: &Login,
    authenticator: &Authenticator,
    form: &mut Form,
) -> Result<Option<SentCode>, Internal> {
    let noted = login.interaction.progress.dispatch.as_ref();
    code_notice::shown(login.idp(), noted, authenticator, login.now, form).await
}
