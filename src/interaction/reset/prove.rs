//! The second factor, after the new password and before it counts: whoever reads somebody's mail has neither the
//! authenticator nor the recovery codes (decision 5, attack 153). Passkeys are not asked for here: whoever has nothing
//! else uses a recovery code.

use axum::http::StatusCode;
use axum::response::Response;
use futures_util::FutureExt;

use super::holder::{Holder, void};
use super::{enrol, pages, sending};
use crate::account::factors::Verdict;
use crate::account::{factors, recovery};
use crate::crypto::random;
use crate::domain::event::Event;
use crate::domain::message::Notice;
use crate::http::Internal;
use crate::interaction::finish::see_other;
use crate::interaction::visitor::retry_after;
use crate::protocol::parameters::Parameters;
use crate::storage::{self, Tx, authenticators, recovery_codes, resets};
use crate::views::{self, Body, Field, Form, Problem, Wait};

/// Wrong codes that end a reset; then another mail is needed.
const CODES: u32 = 5;

/// What it is proved with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Authenticator,
    RecoveryCode,
}

/// The page that asks for the authenticator's code. Where codes are sent, opening it sends the first one.
pub(super) async fn second_factor(
    holder: &Holder,
    mut form: Form,
) -> Result<Result<Body, Response>, Internal> {
    let Some(authenticator) = &holder.authenticator else {
        let recovery = see_other(&pages::address(&holder.visitor, pages::RECOVERY));
        return Ok(Err(if holder.has_passkeys { recovery } else { void(&holder.visitor) }));
    };
    if sending::is_due(holder, authenticator) {
        return sending::send(holder, authenticator).await.map(Err);
    }
    let source = sending::source(holder, authenticator, &mut form).await?;
    let left = recovery_codes::left(&mut holder.idp().db().read().await?.tx(), &holder.user.id).await?;
    let recovery = (left > 0).then(|| pages::address(&holder.visitor, pages::RECOVERY));
    Ok(Ok(Body::SecondFactor(views::SecondFactor {
        form,
        source,
        trust: None,
        digits: authenticator.kind.digits(),
        pin: authenticator.pin.as_ref().map(|pin| pin.position),
        resync: None,
        passkey: None,
        recovery,
    })))
}

/// The page that asks for a recovery code instead.
pub(super) fn recovery(holder: &Holder, form: Form) -> Body {
    let second_factor =
        holder.authenticator.is_some().then(|| pages::address(&holder.visitor, pages::SECOND_FACTOR));
    Body::Recovery(views::Recovery { form, second_factor })
}

/// A code of either kind, to be settled.
#[derive(Clone, Debug)]
enum Attempt {
    Authenticator(factors::Attempt),
    RecoveryCode(recovery::Attempt),
}

impl Attempt {
    async fn settle(&self, tx: &mut Tx<'_>, holder: &Holder) -> storage::Result<Verdict> {
        match self {
            Self::Authenticator(attempt) => attempt.settle(tx, holder.now).await,
            Self::RecoveryCode(attempt) => attempt.settle(tx, holder.now).await,
        }
    }
}

/// Takes the code that was typed.
pub(super) async fn submit(holder: Holder, form: &Parameters, way: Way) -> Result<Response, Internal> {
    let (step, field, wrong) = match way {
        Way::Authenticator => (pages::SECOND_FACTOR, Field::Code, Problem::CodeWrong),
        Way::RecoveryCode => (pages::RECOVERY, Field::RecoveryCode, Problem::RecoveryCodeWrong),
    };
    if let (Way::Authenticator, Some(authenticator)) = (way, &holder.authenticator)
        && form.get("resend").is_some()
    {
        return sending::send(&holder, authenticator).await;
    }
    let Some(code) = form.get(field.name()) else {
        return pages::open(&holder, step, &[Problem::Missing(field)]).await;
    };
    let account = holder.idp().account();
    let attempt = match way {
        Way::RecoveryCode => Attempt::RecoveryCode(account.recovery_attempt(&holder.user.id, code)),
        Way::Authenticator => match account.code_attempt(&holder.user.id, &holder.reset.place(), code).await?
        {
            Some(attempt) => Attempt::Authenticator(attempt),
            None => return Ok(void(&holder.visitor)),
        },
    };
    let (holder, verdict) = match settle(holder, attempt).await? {
        Ok(settled) => settled,
        Err(holder) => return Ok(void(&holder.visitor)),
    };
    match verdict {
        Verdict::Right => {
            let user = holder.user.id.clone();
            if way == Way::RecoveryCode {
                holder.idp().observe(&Event::RecoveryCodeUsed { user: user.clone() });
            }
            holder.idp().observe(&Event::PasswordChanged { user });
            Ok(pages::onward(&holder))
        }
        Verdict::Wrong => {
            let reference = random::reference();
            let (issuer, user) = (holder.reset.issuer.clone(), holder.user.id.clone());
            holder.idp().observe(&Event::SecondFactorFailed { issuer, user, reference });
            if holder.reset.progress.wrong_codes >= CODES {
                return Ok(void(&holder.visitor));
            }
            pages::open(&holder, step, &[wrong]).await
        }
        Verdict::Expired => pages::open(&holder, step, &[Problem::CodeExpired]).await,
        Verdict::Locked(until) => {
            let retry = Some(pages::address(&holder.visitor, step));
            let wait = Wait { until, now: holder.now, retry, reference: None };
            let page = holder.page(StatusCode::TOO_MANY_REQUESTS, Body::Wait(wait));
            Ok(retry_after(page, until.since(holder.now)))
        }
    }
}

/// Uses the code up; if it is right, the password that waits is the user's. `Err`: somebody was quicker.
async fn settle(mut holder: Holder, attempt: Attempt) -> Result<Result<(Holder, Verdict), Holder>, Internal> {
    let Some(hash) = holder.reset.progress.password.clone() else { return Ok(Err(holder)) };
    let version = holder.reset.password_version;
    let change = holder.idp().account().password_change(&holder.user, &holder.tenant, version, hash)?;
    let notice = match attempt {
        Attempt::Authenticator(_) => None,
        Attempt::RecoveryCode(_) => {
            holder.idp().account().notice(&holder.user, &holder.tenant, Notice::RecoveryCodeUsed)?
        }
    };
    let before = holder.clone();
    let written = holder.idp().db().write(move |tx| {
        let (mut holder, attempt, change) = (before.clone(), attempt.clone(), change.clone());
        let notice = notice.clone();
        async move {
            let verdict = attempt.settle(tx, &holder).await?;
            let held = authenticators::active(tx, &holder.user.id).await?;
            let recovering = matches!(attempt, Attempt::RecoveryCode(_));
            let enrols = enrol::due(&holder, recovering, held.as_ref().map(|held| &held.authenticator.kind));
            let progress = &mut holder.reset.progress;
            match verdict {
                Verdict::Right => {
                    (progress.changed, progress.password, progress.enrols) = (true, None, enrols);
                }
                Verdict::Wrong => progress.wrong_codes += 1,
                Verdict::Expired | Verdict::Locked(_) => return Ok((holder.reset, verdict)),
            }
            let reset = holder.reset.clone();
            let saved = if reset.progress.wrong_codes < CODES {
                resets::save(tx, &reset).await?
            } else {
                resets::remove(tx, &reset.link).await?
            };
            if !saved {
                return Err(storage::Error::Conflict);
            }
            if reset.progress.changed {
                holder.change(tx, &change).await?;
            }
            if let (Verdict::Right, Some(notice)) = (verdict, notice) {
                notice.settle(tx).await?;
            }
            Ok((reset, verdict))
        }
        .boxed()
    });
    match written.await {
        Err(storage::Error::Conflict) => Ok(Err(holder)),
        written => {
            let (reset, verdict) = written?;
            holder.reset = reset;
            Ok(Ok((holder, verdict)))
        }
    }
}
