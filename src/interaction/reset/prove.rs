//! The second factor, after the new password and before it counts: a reader of the user's mail has neither the authenticator
//! nor the recovery codes (decision 5, attack 153).

use futures_util::FutureExt;

use super::reply::{self, Reply};
use super::session::ResetSession;
use super::{enrol, sending};
use crate::account::ceremony::{SecondFactorAttempt, SecondFactorProof};
use crate::account::factors::attempt::FactorVerdict;
use crate::account::passkeys::RelyingPartyContext;
use crate::crypto::random;
use crate::domain::passkey::{PasskeyChallenge, PasskeyPurpose};
use crate::interaction::ceremony_pages::{self, OtherWays};
use crate::interaction::code_notice;
use crate::protocol::parameters::Parameters;
use crate::provider::Internal;
use crate::storage::{self, recovery_codes, resets};
use crate::views::{self, Body, Field, Form, Problem};

/// The page that is shown first. A user who holds nothing that can be used here has a recovery code left.
pub(super) fn first(session: &ResetSession) -> &'static str {
    if passkey_context(session).is_some() {
        reply::PASSKEY
    } else if session.authenticator.is_none() && !session.passkeys.is_empty() {
        reply::RECOVERY
    } else {
        reply::SECOND_FACTOR
    }
}

/// The relying party of the user's passkeys; `None` if the user has none for this host.
fn passkey_context(session: &ResetSession) -> Option<RelyingPartyContext<'_>> {
    RelyingPartyContext::of(&session.page_request.issuer).filter(|context| context.has_any(&session.passkeys))
}

/// The address of another page, if it leads on.
fn way(session: &ResetSession, step: &str, leads_on: bool) -> Option<String> {
    leads_on.then(|| session.page_request.reset_address(step))
}

async fn recovery_way(session: &ResetSession) -> Result<Option<String>, Internal> {
    let left = recovery_codes::left(&mut session.idp().db().read().tx(), &session.user.id).await?;
    Ok(way(session, reply::RECOVERY, left > 0))
}

/// The page that asks for the authenticator's code. Where codes are sent, opening it sends the first one.
pub(super) async fn code_page(session: &ResetSession, form: Form) -> Result<Reply, Internal> {
    let Some(authenticator) = &session.authenticator else {
        let has_none = session.passkeys.is_empty();
        return Ok(if has_none { Reply::Void } else { Reply::onward(session.clone()) });
    };
    if code_notice::is_due(session.ceremony(), authenticator) {
        return sending::send(session, authenticator).await;
    }
    let others = OtherWays {
        passkey: way(session, reply::PASSKEY, passkey_context(session).is_some()),
        recovery: recovery_way(session).await?,
        ..OtherWays::default()
    };
    let (idp, ceremony) = (session.idp(), session.ceremony());
    let page = ceremony_pages::second_factor(idp, ceremony, authenticator, session.now, form, others);
    Ok(Reply::Page(Box::new(page.await?)))
}

/// The page that asks for a passkey.
pub(super) async fn passkey_page(session: &ResetSession, form: Form) -> Result<Reply, Internal> {
    let Some(challenge) = challenge(session).await? else { return Ok(Reply::onward(session.clone())) };
    let others = OtherWays {
        code: way(session, reply::SECOND_FACTOR, session.authenticator.is_some()),
        recovery: recovery_way(session).await?,
        ..OtherWays::default()
    };
    Ok(Reply::Page(Box::new(ceremony_pages::passkey(&challenge, form, others))))
}

/// The question to the browser, which is made once and stored. `None` if there is no passkey for here, or the write lost a
/// race against another page.
async fn challenge(session: &ResetSession) -> Result<Option<PasskeyChallenge>, Internal> {
    let Some(context) = passkey_context(session) else { return Ok(None) };
    if let Some(asked) = session.ceremony().asked(PasskeyPurpose::Prove) {
        return Ok(Some(asked.clone()));
    }
    let challenge = context.ask_for_passkey(&session.passkeys)?;
    let mut session = session.clone();
    session.reset.progress.ceremony.challenge = Some(challenge.clone());
    Ok(session.save(None).await?.then_some(challenge))
}

/// The page that asks for a recovery code instead.
pub(super) fn recovery_page(session: &ResetSession, form: Form) -> Body {
    let first = first(session);
    let second_factor = way(session, first, first != reply::RECOVERY);
    Body::Recovery(views::RecoveryView { form, second_factor })
}

/// Takes the code that was typed.
pub(super) async fn submit_code(session: ResetSession, form: &Parameters) -> Result<Reply, Internal> {
    if let Some(authenticator) = &session.authenticator
        && form.get("resend").is_some()
    {
        return sending::send(&session, authenticator).await;
    }
    match form.get(Field::Code.name()) {
        Some(code) => prove(session, SecondFactorProof::Code(code), Problem::WrongCode).await,
        None => Ok(Reply::again(session, Problem::Missing(Field::Code))),
    }
}

/// Takes the browser's answer, which uses the question up.
pub(super) async fn submit_passkey(mut session: ResetSession, form: &Parameters) -> Result<Reply, Internal> {
    let Some(answer) = form.get(Field::Credential.name()) else {
        return Ok(Reply::again(session, Problem::NoPasskey));
    };
    match session.reset.progress.ceremony.take_asked(PasskeyPurpose::Prove) {
        Some(asked) => {
            let proof = SecondFactorProof::Passkey(&asked, answer);
            prove(session, proof, Problem::WrongPasskey).await
        }
        None => Ok(Reply::onward(session)),
    }
}

/// Takes a recovery code.
pub(super) async fn submit_recovery(session: ResetSession, form: &Parameters) -> Result<Reply, Internal> {
    match form.get(Field::RecoveryCode.name()) {
        Some(code) => prove(session, SecondFactorProof::RecoveryCode(code), Problem::WrongRecoveryCode).await,
        None => Ok(Reply::again(session, Problem::Missing(Field::RecoveryCode))),
    }
}

async fn prove(
    session: ResetSession,
    proof: SecondFactorProof<'_>,
    wrong: Problem,
) -> Result<Reply, Internal> {
    let attempt = {
        let (participant, account) = (session.participant(), session.idp().account());
        account.second_factor_attempt(&participant, session.ceremony(), proof).await?
    };
    let Some(attempt) = attempt else { return Ok(Reply::onward(session)) };
    let Some((session, verdict)) = consume(session, attempt).await? else {
        return Ok(Reply::Void);
    };
    Ok(match verdict {
        FactorVerdict::Right => Reply::onward(session),
        FactorVerdict::Wrong | FactorVerdict::Copied if session.ceremony().has_failed() => Reply::Void,
        FactorVerdict::Wrong | FactorVerdict::Copied => Reply::again(session, wrong),
        FactorVerdict::Expired => Reply::again(session, Problem::CodeExpired),
        FactorVerdict::Locked(until) => Reply::Locked(Box::new(session), until),
    })
}

/// Uses up what was brought; if it is right, the password that waits becomes the user's. `None` if the write lost a race.
async fn consume(
    mut session: ResetSession,
    attempt: SecondFactorAttempt,
) -> Result<Option<(ResetSession, FactorVerdict)>, Internal> {
    let Some(hash) = session.reset.progress.password.clone() else { return Ok(None) };
    let change = session.idp().account().password_change(&session.user, &session.tenant, hash)?;
    let (before, reference) = (session.clone(), random::reference());
    let written = session.idp().db().write(move |tx| {
        let (mut session, attempt, change) = (before.clone(), attempt.clone(), change.clone());
        let reference = reference.clone();
        async move {
            let verdict = attempt.consume(tx, session.now).await?;
            let held = session.held(tx).await?;
            let enrols = enrol::due(&session, attempt.is_recovery(), &held);
            let progress = &mut session.reset.progress;
            match verdict {
                FactorVerdict::Right => {
                    (progress.changed, progress.changed_at) = (true, Some(session.now));
                    (progress.password, progress.enrols) = (None, enrols);
                    progress.replaces = held.into_iter().map(|held| held.id).collect();
                }
                FactorVerdict::Wrong | FactorVerdict::Copied => {
                    progress.ceremony.count_wrong_code();
                }
                FactorVerdict::Expired | FactorVerdict::Locked(_) => return Ok((session.reset, verdict)),
            }
            let mut reset = session.reset.clone();
            let saved = if reset.progress.ceremony.has_failed() {
                resets::remove(tx, &reset.link).await?
            } else {
                resets::save(tx, &reset).await?
            };
            if !saved {
                return Err(storage::Error::Conflict);
            }
            reset.version += 1;
            for event in attempt.events(verdict, &reset.issuer, &session.user, &reference) {
                session.record(tx, event)?;
            }
            if reset.progress.changed {
                session.change(tx, &change).await?;
            }
            Ok((reset, verdict))
        }
        .boxed()
    });
    match written.await {
        Err(storage::Error::Conflict) => Ok(None),
        written => {
            let (reset, verdict) = written?;
            session.reset = reset;
            Ok(Some((session, verdict)))
        }
    }
}
