//! A new password. It uses the link up; it counts at once, unless there is a second factor to be proved first.

use axum::http::header::SET_COOKIE;
use axum::response::Response;
use futures_util::FutureExt;

use super::session::{ResetSession, void};
use super::{enrol, link, pages};
use crate::account::ending::Spared;
use crate::account::new_password::NewPassword;
use crate::crypto::secret::Secret;
use crate::domain::event::Event;
use crate::domain::password::PasswordRules;
use crate::domain::reset::{self, Purpose};
use crate::protocol::parameters::Parameters;
use crate::provider::Internal;
use crate::storage::{self, resets};
use crate::views::{self, Body, Field, Form, Problem};

/// The page.
pub(super) fn page(session: &ResetSession, form: Form) -> Body {
    let rules = PasswordRules::of(session.user.is_admin());
    Body::NewPassword(views::NewPasswordView { form, rules, account: session.user.username.to_string() })
}

/// Takes the password that was typed.
pub(super) async fn submit(session: ResetSession, form: &Parameters) -> Result<Response, Internal> {
    let typed = |field: Field| form.get(field.name()).unwrap_or_default();
    let asked = [Field::NewPassword, Field::NewPasswordAgain];
    let empty: Vec<_> =
        asked.into_iter().filter(|&field| typed(field).is_empty()).map(Problem::Missing).collect();
    if !empty.is_empty() {
        return pages::open(&session, pages::PASSWORD, &empty).await;
    }
    let (new, again) = (typed(Field::NewPassword), typed(Field::NewPasswordAgain));
    match NewPassword::check(new, again, &session.user, &session.tenant) {
        Ok(password) => chosen(session, &password).await,
        Err(fault) => pages::open(&session, pages::PASSWORD, &[Problem::NewPassword(fault)]).await,
    }
}

/// Uses the link up, and changes the password if nothing else is to be proved. Whether something is, the store says in
/// the same write: an authenticator that is enrolled in this very moment is asked for. A link from the console asks for
/// none, and revokes what there is.
async fn chosen(mut session: ResetSession, password: &NewPassword) -> Result<Response, Internal> {
    let ticket = Secret::generate();
    let account = session.idp().account();
    let hash = account.hash_new(password).await?;
    let change = account.password_change(&session.user, &session.tenant, hash.clone())?;
    let revoked = match session.reset.purpose {
        Purpose::Console => Some(account.enrolment_reset(&session.user, &session.tenant)?),
        Purpose::Forgotten | Purpose::Activation => None,
    };
    session.reset.ticket = Some(ticket.hash());
    session.reset.expires_at = session.now.plus(reset::REST);
    let opened = session.clone();
    let written = session.idp().db().write(move |tx| {
        let (mut session, change) = (opened.clone(), change.clone());
        let (hash, revoked) = (hash.clone(), revoked.clone());
        async move {
            let held = match revoked {
                Some(_) => Vec::new(),
                None => session.held(tx).await?,
            };
            let progress = &mut session.reset.progress;
            progress.changed = held.is_empty();
            progress.changed_at = progress.changed.then_some(session.now);
            progress.password = (!progress.changed).then_some(hash);
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
                revoked.settle(tx, Spared { session: None, reset: Some(&session.reset.link) }).await?;
            }
            Ok(session.reset)
        }
        .boxed()
    });
    match written.await {
        // Somebody was quicker, with this link or with another change.
        Err(storage::Error::Conflict) => return Ok(void(&session.page_request)),
        written => session.reset = written?,
    }
    if session.reset.progress.changed {
        session.idp().observe(&Event::PasswordChanged { user: session.user.id.clone() });
    }
    let mut response = pages::onward(&session);
    response
        .headers_mut()
        .extend(link::keep(&session.page_request, &ticket).map(|cookie| (SET_COOKIE, cookie)));
    Ok(response)
}
