//! A new password. It uses the link up; it counts at once, unless there is a second factor to be proved first.

use futures_util::FutureExt;

use super::enrol;
use super::reply::Reply;
use super::session::ResetSession;
use crate::account::ending::Spared;
use crate::account::new_password::NewPassword;
use crate::crypto::secret::Secret;
use crate::domain::reset::{self, ResetPurpose};
use crate::interaction::ceremony_pages;
use crate::protocol::parameters::Parameters;
use crate::provider::Internal;
use crate::storage::{self, resets};
use crate::views::Problem;

/// Takes the password that was typed.
pub(super) async fn submit(session: ResetSession, form: &Parameters) -> Result<Reply, Internal> {
    let [new, again] = match ceremony_pages::typed_password(form) {
        Ok(typed) => typed,
        Err(empty) => {
            let problems = empty.into_iter().map(Problem::Missing).collect();
            return Ok(Reply::Again(Box::new(session), problems));
        }
    };
    match NewPassword::check(new, again, &session.user, &session.tenant) {
        Ok(password) => chosen(session, &password).await,
        Err(fault) => Ok(Reply::again(session, Problem::NewPassword(fault))),
    }
}

/// Uses the link up, and changes the password if nothing else is to be proved. Whether something is, the store says in
/// the same write: an authenticator that is enrolled in this very moment is asked for. A link from the console asks for
/// none, and revokes what there is.
async fn chosen(mut session: ResetSession, password: &NewPassword) -> Result<Reply, Internal> {
    let ticket = Secret::generate();
    let account = session.idp().account();
    let change = account.new_password(&session.participant(), password).await?;
    let revoked = match session.reset.purpose {
        ResetPurpose::Console => Some(account.enrolment_reset(&session.user, &session.tenant)?),
        ResetPurpose::Forgotten | ResetPurpose::Activation => None,
    };
    session.reset.ticket = Some(ticket.hash());
    session.reset.expires_at = session.now.plus(reset::REST);
    let opened = session.clone();
    let written = session.idp().db().write(move |tx| {
        let (mut session, change, revoked) = (opened.clone(), change.clone(), revoked.clone());
        async move {
            let held = match revoked {
                Some(_) => Vec::new(),
                None => session.held(tx).await?,
            };
            let progress = &mut session.reset.progress;
            progress.changed = held.is_empty();
            progress.changed_at = progress.changed.then_some(session.now);
            progress.password = (!progress.changed).then(|| change.hash().to_owned());
            if progress.changed {
                session.reset.progress.enrols = enrol::due(&session, false, &held);
            }
            if !resets::use_up(tx, &session.reset, session.now).await? {
                return Err(storage::Error::Conflict);
            }
            session.reset.version += 1;
            if session.reset.progress.changed {
                session.change(tx, &change).await?;
            }
            if let Some(revoked) = revoked {
                revoked.apply(tx, Spared { session: None, reset: Some(&session.reset.link) }).await?;
            }
            Ok(session.reset)
        }
        .boxed()
    });
    match written.await {
        // Lost the race: against another use of this link, or another change of the password.
        Err(storage::Error::Conflict) => return Ok(Reply::Void),
        written => session.reset = written?,
    }
    Ok(Reply::Ticket(Box::new(session), ticket))
}
