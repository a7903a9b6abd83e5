//! The second factor, after the new password and before it counts: whoever reads somebody's mail has neither the
//! authenticator nor the recovery codes (decision 5, attack 153).

use axum::http::StatusCode;
use axum::response::Response;
use futures_util::FutureExt;

use super::session::{ResetSession, void};
use super::{enrol, pages, sending};
use crate::account::factors::Verdict;
use crate::account::passkeys::{self, RelyingPartyContext};
use crate::account::{factors, recovery};
use crate::crypto::random;
use crate::domain::event::Event;
use crate::domain::message::Notice;
use crate::domain::passkey::Ceremony;
use crate::interaction::error_pages::retry_after;
use crate::protocol::parameters::Parameters;
use crate::provider::Internal;
use crate::storage::{self, Tx, recovery_codes, resets};
use crate::views::{self, Body, Field, Form, Problem, WaitView};

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
                (pages::SECOND_FACTOR, field, Problem::Missing(field), Problem::WrongCode)
            }
            Self::Passkey => (pages::PASSKEY, Field::Credential, Problem::NoPasskey, Problem::WrongPasskey),
            Self::RecoveryCode => {
                let field = Field::RecoveryCode;
                (pages::RECOVERY, field, Problem::Missing(field), Problem::WrongRecoveryCode)
            }
        }
    }
}

/// The page that is shown first. Whoever holds nothing that can be used here has a recovery code left.
pub(super) fn first(session: &ResetSession) -> &'static str {
    if passkey_place(session).is_some() {
        pages::PASSKEY
    } else if session.authenticator.is_none() && !session.passkeys.is_empty() {
        pages::RECOVERY
    } else {
        pages::SECOND_FACTOR
    }
}

/// Where a passkey of the user's is asked for; `None`: there is none for here.
fn passkey_place(session: &ResetSession) -> Option<RelyingPartyContext<'_>> {
    RelyingPartyContext::of(&session.page_request.issuer).filter(|context| context.has_any(&session.passkeys))
}

/// The address of another page, if it leads on.
fn way(session: &ResetSession, step: &str, leads_on: bool) -> Option<String> {
    leads_on.then(|| session.page_request.reset_address(step))
}

async fn recovery_way(session: &ResetSession) -> Result<Option<String>, Internal> {
    let left = recovery_codes::left(&mut session.idp().db().read().tx(), &session.user.id).await?;
    Ok(way(session, pages::RECOVERY, left > 0))
}

/// The page that asks for the authenticator's code. Where codes are sent, opening it sends the first one.
pub(super) async fn second_factor(
    session: &ResetSession,
    mut form: Form,
) -> Result<Result<Body, Response>, Internal> {
    let Some(authenticator) = &session.authenticator else {
        return Ok(Err(if session.passkeys.is_empty() {
            void(&session.page_request)
        } else {
            pages::onward(session)
        }));
    };
    if sending::is_due(session, authenticator) {
        return sending::send(session, authenticator).await.map(Err);
    }
    let source = sending::source(session, authenticator, &mut form).await?;
    Ok(Ok(Body::SecondFactor(views::SecondFactorView {
        form,
        source,
        trust: None,
        digits: authenticator.kind.digits(),
        pin: authenticator.pin.as_ref().map(|pin| pin.position),
        resync: None,
        passkey: way(session, pages::PASSKEY, passkey_place(session).is_some()),
        recovery: recovery_way(session).await?,
    })))
}

/// The page that asks for a passkey.
pub(super) async fn passkey(session: &ResetSession, form: Form) -> Result<Result<Body, Response>, Internal> {
    let Some(context) = passkey_place(session) else { return Ok(Err(pages::onward(session))) };
    let asked = match session.reset.progress.ceremony.clone() {
        Some(asked) => Some(asked),
        None => ask(session, &context).await?,
    };
    let Some(Ceremony { options, .. }) = asked else { return Ok(Err(pages::onward(session))) };
    let code = way(session, pages::SECOND_FACTOR, session.authenticator.is_some());
    let recovery = recovery_way(session).await?;
    Ok(Ok(Body::Passkey(views::PasskeyView { form, options, trust: None, code, recovery })))
}

/// Stores what the browser is asked, which it is once. `None`: another page was quicker.
async fn ask(
    session: &ResetSession,
    context: &RelyingPartyContext<'_>,
) -> Result<Option<Ceremony>, Internal> {
    let asked = context.ask_for_passkey(&session.passkeys)?;
    let mut session = session.clone();
    session.reset.progress.ceremony = Some(asked.clone());
    Ok(session.save().await?.then_some(asked))
}

/// The page that asks for a recovery code instead.
pub(super) fn recovery(session: &ResetSession, form: Form) -> Body {
    let first = first(session);
    let second_factor = way(session, first, first != pages::RECOVERY);
    Body::Recovery(views::RecoveryView { form, second_factor })
}

/// What proves it, to be settled.
#[derive(Clone, Debug)]
enum Attempt {
    Authenticator(factors::FactorAttempt),
    Passkey(passkeys::PasskeyAttempt),
    RecoveryCode(recovery::RecoveryAttempt),
}

impl Attempt {
    async fn settle(&self, tx: &mut Tx<'_>, session: &ResetSession) -> storage::Result<Verdict> {
        match self {
            Self::Authenticator(attempt) => attempt.settle(tx, session.now).await,
            Self::Passkey(attempt) => attempt.settle(tx, session.now).await,
            Self::RecoveryCode(attempt) => attempt.settle(tx, session.now).await,
        }
    }
}

/// Takes the code that was typed, or what the browser says of a passkey.
pub(super) async fn submit(
    mut session: ResetSession,
    form: &Parameters,
    way: Way,
) -> Result<Response, Internal> {
    let (step, field, missing, wrong) = way.terms();
    if let (Way::Authenticator, Some(authenticator)) = (way, &session.authenticator)
        && form.get("resend").is_some()
    {
        return sending::send(&session, authenticator).await;
    }
    let Some(typed) = form.get(field.name()) else {
        return pages::open(&session, step, &[missing]).await;
    };
    let asked = session.reset.progress.ceremony.take_if(|_| way == Way::Passkey);
    let Some(attempt) = attempt(&session, way, asked, typed).await? else {
        return Ok(pages::onward(&session));
    };
    let (session, verdict) = match settle(session, attempt).await? {
        Ok(settled) => settled,
        Err(session) => return Ok(void(&session.page_request)),
    };
    match verdict {
        Verdict::Right => {
            let user = session.user.id.clone();
            if way == Way::RecoveryCode {
                session.idp().observe(&Event::RecoveryCodeUsed { user: user.clone() });
            }
            session.idp().observe(&Event::PasswordChanged { user });
            Ok(pages::onward(&session))
        }
        Verdict::Wrong | Verdict::Copied => {
            tell_wrong(&session, verdict);
            if session.reset.progress.wrong_codes >= CODES {
                return Ok(void(&session.page_request));
            }
            pages::open(&session, step, &[wrong]).await
        }
        Verdict::Expired => pages::open(&session, step, &[Problem::CodeExpired]).await,
        Verdict::Locked(until) => {
            let retry = Some(session.page_request.reset_address(step));
            let wait = WaitView { until, now: session.now, retry, reference: None };
            let page = session.page(StatusCode::TOO_MANY_REQUESTS, Body::Wait(wait));
            Ok(retry_after(page, until.since(session.now)))
        }
    }
}

/// What was typed or answered; `None`: nothing is waited for.
async fn attempt(
    session: &ResetSession,
    way: Way,
    asked: Option<Ceremony>,
    typed: &str,
) -> Result<Option<Attempt>, Internal> {
    let (account, user) = (session.idp().account(), &session.user.id);
    Ok(match way {
        Way::RecoveryCode => Some(Attempt::RecoveryCode(account.recovery_attempt(user, typed))),
        Way::Authenticator => {
            account.code_attempt(user, &session.reset.place(), typed).await?.map(Attempt::Authenticator)
        }
        Way::Passkey => {
            let (Some(context), Some(asked)) = (passkey_place(session), asked) else { return Ok(None) };
            Some(Attempt::Passkey(account.passkey_attempt(
                &context,
                user,
                &session.passkeys,
                &asked,
                typed,
            )?))
        }
    })
}

fn tell_wrong(session: &ResetSession, verdict: Verdict) {
    let reference = random::reference();
    let (issuer, user) = (session.reset.issuer.clone(), session.user.id.clone());
    if verdict == Verdict::Copied {
        let (issuer, user, reference) = (issuer.clone(), user.clone(), reference.clone());
        session.idp().observe(&Event::PasskeyCounterWentBack { issuer, user, reference });
    }
    session.idp().observe(&Event::SecondFactorFailed { issuer, user, reference });
}

/// Uses it up; if it is right, the password that waits is the user's. `Err`: somebody was quicker.
async fn settle(
    mut session: ResetSession,
    attempt: Attempt,
) -> Result<Result<(ResetSession, Verdict), ResetSession>, Internal> {
    let Some(hash) = session.reset.progress.password.clone() else { return Ok(Err(session)) };
    let change = session.idp().account().password_change(&session.user, &session.tenant, hash)?;
    let notice = match attempt {
        Attempt::Authenticator(_) | Attempt::Passkey(_) => None,
        Attempt::RecoveryCode(_) => {
            session.idp().account().notice(&session.user, &session.tenant, Notice::RecoveryCodeUsed)?
        }
    };
    let before = session.clone();
    let written = session.idp().db().write(move |tx| {
        let (mut session, attempt, change) = (before.clone(), attempt.clone(), change.clone());
        let notice = notice.clone();
        async move {
            let verdict = attempt.settle(tx, &session).await?;
            let recovering = matches!(attempt, Attempt::RecoveryCode(_));
            let held = session.held(tx).await?;
            let enrols = enrol::due(&session, recovering, &held);
            let progress = &mut session.reset.progress;
            match verdict {
                Verdict::Right => {
                    (progress.changed, progress.changed_at) = (true, Some(session.now));
                    (progress.password, progress.enrols) = (None, enrols);
                    progress.replaces = held.into_iter().map(|held| held.id).collect();
                }
                Verdict::Wrong | Verdict::Copied => progress.wrong_codes += 1,
                Verdict::Expired | Verdict::Locked(_) => return Ok((session.reset, verdict)),
            }
            let mut reset = session.reset.clone();
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
                session.change(tx, &change).await?;
            }
            if let (Verdict::Right, Some(notice)) = (verdict, notice) {
                notice.settle(tx).await?;
            }
            Ok((reset, verdict))
        }
        .boxed()
    });
    match written.await {
        Err(storage::Error::Conflict) => Ok(Err(session)),
        written => {
            let (reset, verdict) = written?;
            session.reset = reset;
            Ok(Ok((session, verdict)))
        }
    }
}
