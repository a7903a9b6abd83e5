//! The second factor, after the new password and before it counts: whoever reads somebody's mail has neither the
//! authenticator nor the recovery codes (decision 5, attack 153).

use axum::http::StatusCode;
use axum::response::Response;
use futures_util::FutureExt;

use super::holder::{ResetSession, void};
use super::{enrol, pages, sending};
use crate::account::factors::Verdict;
use crate::account::passkeys::{self, Place};
use crate::account::{factors, recovery};
use crate::crypto::random;
use crate::domain::event::Event;
use crate::domain::message::Notice;
use crate::domain::passkey::Ceremony;
use crate::interaction::visitor::retry_after;
use crate::protocol::parameters::Parameters;
use crate::provider::Internal;
use crate::storage::{self, Tx, recovery_codes, resets};
use crate::views::{self, Body, Field, Form, Problem, Wait};

/// Wrong codes that end a reset; then another mail is needed.
const CODES: u32 = 5;

/// What it is proved with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Authenticator,
    Passkey,
    RecoveryCode,
}

impl Way {
    /// Its page, the field that it posts, and what is said where that is empty or wrong.
    const fn terms(self) -> (&'static str, Field, Problem, Problem) {
        match self {
            Self::Authenticator => {
                let field = Field::Code;
                (pages::SECOND_FACTOR, field, Problem::Missing(field), Problem::CodeWrong)
            }
            Self::Passkey => {
                (pages::PASSKEY, Field::Credential, Problem::PasskeyMissing, Problem::PasskeyWrong)
            }
            Self::RecoveryCode => {
                let field = Field::RecoveryCode;
                (pages::RECOVERY, field, Problem::Missing(field), Problem::RecoveryCodeWrong)
            }
        }
    }
}

/// The page that is shown first. Whoever holds nothing that can be used here has a recovery code left.
pub(super) fn first(holder: &ResetSession) -> &'static str {
    if passkey_place(holder).is_some() {
        pages::PASSKEY
    } else if holder.authenticator.is_none() && !holder.passkeys.is_empty() {
        pages::RECOVERY
    } else {
        pages::SECOND_FACTOR
    }
}

/// Where a passkey of the user's is asked for; `None`: there is none for here.
fn passkey_place(holder: &ResetSession) -> Option<Place<'_>> {
    Place::of(&holder.visitor.issuer).filter(|place| place.has_any(&holder.passkeys))
}

/// The address of another page, if it leads on.
fn way(holder: &ResetSession, step: &str, leads_on: bool) -> Option<String> {
    leads_on.then(|| pages::address(&holder.visitor, step))
}

async fn recovery_way(holder: &ResetSession) -> Result<Option<String>, Internal> {
    let left = recovery_codes::left(&mut holder.idp().db().read().tx(), &holder.user.id).await?;
    Ok(way(holder, pages::RECOVERY, left > 0))
}

/// The page that asks for the authenticator's code. Where codes are sent, opening it sends the first one.
pub(super) async fn second_factor(
    holder: &ResetSession,
    mut form: Form,
) -> Result<Result<Body, Response>, Internal> {
    let Some(authenticator) = &holder.authenticator else {
        return Ok(Err(if holder.passkeys.is_empty() {
            void(&holder.visitor)
        } else {
            pages::onward(holder)
        }));
    };
    if sending::is_due(holder, authenticator) {
        return sending::send(holder, authenticator).await.map(Err);
    }
    let source = sending::source(holder, authenticator, &mut form).await?;
    Ok(Ok(Body::SecondFactor(views::SecondFactor {
        form,
        source,
        trust: None,
        digits: authenticator.kind.digits(),
        pin: authenticator.pin.as_ref().map(|pin| pin.position),
        resync: None,
        passkey: way(holder, pages::PASSKEY, passkey_place(holder).is_some()),
        recovery: recovery_way(holder).await?,
    })))
}

/// The page that asks for a passkey.
pub(super) async fn passkey(holder: &ResetSession, form: Form) -> Result<Result<Body, Response>, Internal> {
    let Some(place) = passkey_place(holder) else { return Ok(Err(pages::onward(holder))) };
    let asked = match holder.reset.progress.ceremony.clone() {
        Some(asked) => Some(asked),
        None => ask(holder, &place).await?,
    };
    let Some(Ceremony { options, .. }) = asked else { return Ok(Err(pages::onward(holder))) };
    let code = way(holder, pages::SECOND_FACTOR, holder.authenticator.is_some());
    let recovery = recovery_way(holder).await?;
    Ok(Ok(Body::Passkey(views::Passkey { form, options, trust: None, code, recovery })))
}

/// Stores what the browser is asked, which it is once. `None`: another page was quicker.
async fn ask(holder: &ResetSession, place: &Place<'_>) -> Result<Option<Ceremony>, Internal> {
    let asked = place.ask_for_passkey(&holder.passkeys)?;
    let mut holder = holder.clone();
    holder.reset.progress.ceremony = Some(asked.clone());
    Ok(holder.save().await?.then_some(asked))
}

/// The page that asks for a recovery code instead.
pub(super) fn recovery(holder: &ResetSession, form: Form) -> Body {
    let first = first(holder);
    let second_factor = way(holder, first, first != pages::RECOVERY);
    Body::Recovery(views::Recovery { form, second_factor })
}

/// What proves it, to be settled.
#[derive(Clone, Debug)]
enum Attempt {
    Authenticator(factors::Attempt),
    Passkey(passkeys::Attempt),
    RecoveryCode(recovery::Attempt),
}

impl Attempt {
    async fn settle(&self, tx: &mut Tx<'_>, holder: &ResetSession) -> storage::Result<Verdict> {
        match self {
            Self::Authenticator(attempt) => attempt.settle(tx, holder.now).await,
            Self::Passkey(attempt) => attempt.settle(tx, holder.now).await,
            Self::RecoveryCode(attempt) => attempt.settle(tx, holder.now).await,
        }
    }
}

/// Takes the code that was typed, or what the browser says of a passkey.
pub(super) async fn submit(
    mut holder: ResetSession,
    form: &Parameters,
    way: Way,
) -> Result<Response, Internal> {
    let (step, field, missing, wrong) = way.terms();
    if let (Way::Authenticator, Some(authenticator)) = (way, &holder.authenticator)
        && form.get("resend").is_some()
    {
        return sending::send(&holder, authenticator).await;
    }
    let Some(typed) = form.get(field.name()) else {
        return pages::open(&holder, step, &[missing]).await;
    };
    let asked = holder.reset.progress.ceremony.take_if(|_| way == Way::Passkey);
    let Some(attempt) = attempt(&holder, way, asked, typed).await? else {
        return Ok(pages::onward(&holder));
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
        Verdict::Wrong | Verdict::Copied => {
            tell_wrong(&holder, verdict);
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

/// What was typed or answered; `None`: nothing is waited for.
async fn attempt(
    holder: &ResetSession,
    way: Way,
    asked: Option<Ceremony>,
    typed: &str,
) -> Result<Option<Attempt>, Internal> {
    let (account, user) = (holder.idp().account(), &holder.user.id);
    Ok(match way {
        Way::RecoveryCode => Some(Attempt::RecoveryCode(account.recovery_attempt(user, typed))),
        Way::Authenticator => {
            account.code_attempt(user, &holder.reset.place(), typed).await?.map(Attempt::Authenticator)
        }
        Way::Passkey => {
            let (Some(place), Some(asked)) = (passkey_place(holder), asked) else { return Ok(None) };
            Some(Attempt::Passkey(account.passkey_attempt(&place, user, &holder.passkeys, &asked, typed)?))
        }
    })
}

fn tell_wrong(holder: &ResetSession, verdict: Verdict) {
    let reference = random::reference();
    let (issuer, user) = (holder.reset.issuer.clone(), holder.user.id.clone());
    if verdict == Verdict::Copied {
        let (issuer, user, reference) = (issuer.clone(), user.clone(), reference.clone());
        holder.idp().observe(&Event::PasskeyCounterWentBack { issuer, user, reference });
    }
    holder.idp().observe(&Event::SecondFactorFailed { issuer, user, reference });
}

/// Uses it up; if it is right, the password that waits is the user's. `Err`: somebody was quicker.
async fn settle(
    mut holder: ResetSession,
    attempt: Attempt,
) -> Result<Result<(ResetSession, Verdict), ResetSession>, Internal> {
    let Some(hash) = holder.reset.progress.password.clone() else { return Ok(Err(holder)) };
    let change = holder.idp().account().password_change(&holder.user, &holder.tenant, hash)?;
    let notice = match attempt {
        Attempt::Authenticator(_) | Attempt::Passkey(_) => None,
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
            let recovering = matches!(attempt, Attempt::RecoveryCode(_));
            let held = holder.held(tx).await?;
            let enrols = enrol::due(&holder, recovering, &held);
            let progress = &mut holder.reset.progress;
            match verdict {
                Verdict::Right => {
                    (progress.changed, progress.changed_at) = (true, Some(holder.now));
                    (progress.password, progress.enrols) = (None, enrols);
                    progress.replaces = held.into_iter().map(|held| held.id).collect();
                }
                Verdict::Wrong | Verdict::Copied => progress.wrong_codes += 1,
                Verdict::Expired | Verdict::Locked(_) => return Ok((holder.reset, verdict)),
            }
            let mut reset = holder.reset.clone();
            let saved = if reset.progress.wrong_codes < CODES {
                resets::save(tx, &reset).await?
            } else {
                resets::remove(tx, &reset.link).await?
            };
            if !saved {
                return Err(storage::Error::Conflict);
            }
            reset.version += 1;
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
