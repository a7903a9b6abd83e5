//! What the pages share on which a code is sent and asked for.
//!
//! Sending and its note in the login are one write, which holds the login first: of two pages that are opened at once one
//! sends a code, and the other shows that it was sent.

use futures_util::FutureExt;

use super::super::code_notice;
use super::super::login::{Login, Outcome};
use super::super::login_user::LoginUser;
use crate::account::factors::enrolment::EnrolmentStart;
use crate::domain::authenticator::{Authenticator, AuthenticatorKind};
use crate::domain::message::CodePurpose;
use crate::provider::Internal;
use crate::storage::{self, interactions};
use crate::views::{Form, SentCode};

/// Begins the enrolment of a destination, and sends its first code there.
pub(in crate::interaction) async fn begin(
    mut login: Login,
    login_user: &LoginUser,
    kind: AuthenticatorKind,
) -> Result<(Login, Outcome), Internal> {
    let start = login.idp().account().start_enrolment(&login_user.user.id, kind)?;
    let now = login.now;
    login.interaction.progress.ceremony.begin_enrolment(&start.authenticator, now);
    let authenticator = start.authenticator.clone();
    write(login, login_user, &authenticator, CodePurpose::Address, Some(start)).await
}

/// Sends a code to an authenticator that there is; the code before it is void.
pub(in crate::interaction) async fn send(
    login: Login,
    login_user: &LoginUser,
    authenticator: &Authenticator,
    purpose: CodePurpose,
) -> Result<(Login, Outcome), Internal> {
    write(login, login_user, authenticator, purpose, None).await
}

async fn write(
    login: Login,
    login_user: &LoginUser,
    authenticator: &Authenticator,
    purpose: CodePurpose,
    start: Option<EnrolmentStart>,
) -> Result<(Login, Outcome), Internal> {
    let participant = login.participant(login_user);
    let code = login.idp().account().code(&participant, login.ceremony(), purpose, authenticator)?;
    let Some(code) = code else { return Ok((login, Outcome::Conflict)) };
    let written = login.write(move |mut login, tx| {
        let (code, start) = (code.clone(), start.clone());
        async move {
            if !interactions::hold(tx, &login.interaction).await? {
                return Err(storage::Error::Conflict);
            }
            if let Some(start) = start {
                start.store(tx).await?;
            }
            let progress = &mut login.interaction.progress;
            progress.refusal = None;
            code.send(tx, &mut progress.ceremony, login.now).await?;
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
    code_notice::shown(login.idp(), login.ceremony(), authenticator, login.now, form).await
}
