//! A new password. It uses the link up; it counts at once, unless there is a second factor to be proved first.

use axum::http::header::SET_COOKIE;
use axum::response::Response;
use futures_util::FutureExt;

use super::holder::{ResetSession, void};
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
pub(super) fn page(holder: &ResetSession, form: Form) -> Body {
    let rules = PasswordRules::of(holder.user.is_admin());
    Body::NewPassword(views::NewPassword { form, rules, account: holder.user.username.to_string() })
}

/// Takes the password that was typed.
pub(super) async fn submit(holder: ResetSession, form: &Parameters) -> Result<Response, Internal> {
    let typed = |field: Field| form.get(field.name()).unwrap_or_default();
    let asked = [Field::NewPassword, Field::NewPasswordAgain];
    let empty: Vec<_> =
        asked.into_iter().filter(|&field| typed(field).is_empty()).map(Problem::Missing).collect();
    if !empty.is_empty() {
        return pages::open(&holder, pages::PASSWORD, &empty).await;
    }
    let (new, again) = (typed(Field::NewPassword), typed(Field::NewPasswordAgain));
    match NewPassword::check(new, again, &holder.user, &holder.tenant) {
        Ok(password) => chosen(holder, &password).await,
        Err(fault) => pages::open(&holder, pages::PASSWORD, &[Problem::NewPassword(fault)]).await,
    }
}

/// Uses the link up, and changes the password if nothing else is to be proved. Whether something is, the store says in
/// the same write: an authenticator that is enrolled in this very moment is asked for. A link from the console asks for
/// none, and revokes what there is.
async fn chosen(mut holder: ResetSession, password: &NewPassword) -> Result<Response, Internal> {
    let ticket = Secret::generate();
    let account = holder.idp().account();
    let hash = account.hash_new(password).await?;
    let change = account.password_change(&holder.user, &holder.tenant, hash.clone())?;
    let revoked = match holder.reset.purpose {
        Purpose::Console => Some(account.enrolment_reset(&holder.user, &holder.tenant)?),
        Purpose::Forgotten | Purpose::Activation => None,
    };
    holder.reset.ticket = Some(ticket.hash());
    holder.reset.expires_at = holder.now.plus(reset::REST);
    let opened = holder.clone();
    let written = holder.idp().db().write(move |tx| {
        let (mut holder, change) = (opened.clone(), change.clone());
        let (hash, revoked) = (hash.clone(), revoked.clone());
        async move {
            let held = match revoked {
                Some(_) => Vec::new(),
                None => holder.held(tx).await?,
            };
            let progress = &mut holder.reset.progress;
            progress.changed = held.is_empty();
            progress.changed_at = progress.changed.then_some(holder.now);
            progress.password = (!progress.changed).then_some(hash);
            if progress.changed {
                holder.reset.progress.enrols = enrol::due(&holder, false, &held);
            }
            if !resets::use_up(tx, &holder.reset, holder.now).await? {
                return Err(storage::Error::Conflict);
            }
            holder.reset.version += 1;
            if holder.reset.progress.changed {
                holder.change(tx, &change).await?;
            }
            if let Some(revoked) = revoked {
                revoked.settle(tx, Spared { session: None, reset: Some(&holder.reset.link) }).await?;
            }
            Ok(holder.reset)
        }
        .boxed()
    });
    match written.await {
        // Somebody was quicker, with this link or with another change.
        Err(storage::Error::Conflict) => return Ok(void(&holder.visitor)),
        written => holder.reset = written?,
    }
    if holder.reset.progress.changed {
        holder.idp().observe(&Event::PasswordChanged { user: holder.user.id.clone() });
    }
    let mut response = pages::onward(&holder);
    response.headers_mut().extend(link::keep(&holder.visitor, &ticket).map(|cookie| (SET_COOKIE, cookie)));
    Ok(response)
}
