//! A new authenticator at the end of a reset: for an administrator who must have one, or for a user who has proved with a
//! recovery code that the old one is lost. Then the recovery codes that come with it.
//!
//! The password that was just set, and the second factor if there is one, were proved for it, and count for five minutes as
//! in a login. After that the login enrols what is missing.

use futures_util::FutureExt;

use super::reply::Reply;
use super::session::ResetSession;
use crate::account::authenticator_snapshot::AuthenticatorSnapshot;
use crate::account::ceremony::{EnrolmentOutcome, NewAuthenticator, Proved};
use crate::account::ending::Spared;
use crate::account::factors::enrolment::{Confirmation, PendingAuthenticator};
use crate::crypto::random;
use crate::domain::authenticator::{AuthenticatorKind, Held, Method};
use crate::domain::event::Event;
use crate::domain::passkey::RpId;
use crate::domain::reset::Enrols;
use crate::interaction::ceremony_pages;
use crate::protocol::parameters::Parameters;
use crate::provider::Internal;
use crate::storage::{self, resets};
use crate::views::{Body, Duty, Field, Form, Problem};

/// The authenticator that must be enrolled here once the password is changed; `None` where none is demanded, or none that
/// this page could enrol: the login will say what is missing.
pub(super) fn due(session: &ResetSession, recovering: bool, held: &[Held]) -> Option<Enrols> {
    let policy = &session.tenant.policy;
    if !session.idp().account().methods(policy, false).contains(&Method::Totp) {
        return None;
    }
    let best = held.iter().filter(|held| held.usable).map(|held| held.worth).max();
    let duty = policy.admin_duty(session.user.is_admin(), session.now);
    if recovering {
        Some(Enrols::Replacement)
    } else if duty && best < Some(Method::Totp.worth()) {
        Some(Enrols::Duty)
    } else {
        None
    }
}

/// The page with the secret; the secret is made when the page is first opened.
pub(super) async fn page(session: &ResetSession, form: Form) -> Result<Reply, Internal> {
    let secret = match pending(session).await? {
        Some(pending) => session.idp().account().shown(&pending)?,
        None => None,
    };
    let Some(secret) = secret else { return begin(session).await };
    let duty = match session.reset.progress.enrols {
        Some(Enrols::Duty) => Duty::Administrator,
        _ => Duty::Replacement,
    };
    let page = ceremony_pages::secret(&secret, &session.user, &session.tenant, form, duty);
    Ok(Reply::Page(Box::new(Body::Enrol(page))))
}

/// The authenticator that this reset enrols, as long as it waits for its first code.
async fn pending(session: &ResetSession) -> Result<Option<PendingAuthenticator>, Internal> {
    Ok(session.idp().account().enrolment(&session.user.id, session.ceremony()).await?)
}

async fn begin(session: &ResetSession) -> Result<Reply, Internal> {
    let start =
        session.idp().account().start_enrolment(&session.user.id, AuthenticatorKind::application())?;
    let mut reset = session.reset.clone();
    reset.progress.ceremony.begin_enrolment(&start.authenticator, session.now);
    let written = session.idp().db().write(move |tx| {
        let (start, reset) = (start.clone(), reset.clone());
        async move {
            if resets::save(tx, &reset).await? {
                start.store(tx).await?;
            }
            Ok(())
        }
        .boxed()
    });
    written.await?;
    Ok(Reply::onward(session.clone()))
}

/// Takes the first code of the new authenticator.
pub(super) async fn submit(session: ResetSession, form: &Parameters) -> Result<Reply, Internal> {
    let Some(code) = form.get(Field::Code.name()) else {
        return Ok(Reply::again(session, Problem::Missing(Field::Code)));
    };
    let Some(pending) = pending(&session).await? else { return renew(session, None).await };
    match session.idp().account().confirmation(pending, session.ceremony(), code)? {
        Some(confirmation) => finish(session, confirmation).boxed().await,
        None => refuse_code(session).await,
    }
}

/// Activates the new authenticator. After a recovery code it takes the place of what is lost, passkeys for here too.
async fn finish(mut session: ResetSession, confirmation: Confirmation) -> Result<Reply, Internal> {
    let new = new_authenticator(&session, confirmation)?;
    let (before, now) = (session.clone(), session.now);
    let written = session.idp().db().write(move |tx| {
        let (session, new) = (before.clone(), new.clone());
        async move {
            let mut reset = session.reset.clone();
            reset.progress.enrols = None;
            if !resets::save(tx, &reset).await? {
                return Err(storage::Error::Conflict);
            }
            reset.version += 1;
            let link = reset.link.clone();
            let spared = Spared { session: None, reset: Some(&link) };
            let outcome = new.activate(tx, &mut reset.progress.ceremony, spared, now).await?;
            if outcome != EnrolmentOutcome::Enrolled || !resets::save(tx, &reset).await? {
                return Err(storage::Error::Conflict);
            }
            session.record(tx, Event::AuthenticatorEnrolled { user: session.user.id.clone() })?;
            Ok(reset)
        }
        .boxed()
    });
    match written.await {
        // Lost the race against another tab.
        Err(storage::Error::Conflict) => return Ok(Reply::onward(session)),
        written => session.reset = written?,
    }
    Ok(Reply::onward(session))
}

fn new_authenticator(
    session: &ResetSession,
    confirmation: Confirmation,
) -> Result<NewAuthenticator, Internal> {
    let progress = &session.reset.progress;
    let is_replacement = progress.enrols == Some(Enrols::Replacement);
    let lost = RpId::of(&session.page_request.issuer.url).filter(|_| is_replacement);
    let before = AuthenticatorSnapshot { ids: progress.replaces.clone(), lost };
    let (account, proved) = (session.idp().account(), Proved::Code(confirmation));
    let row = session.codes_row();
    Ok(account.new_authenticator(&session.participant(), proved, before, is_replacement, &row)?)
}

/// The secret that was shown is void; the next one is made with the page.
async fn renew(mut session: ResetSession, event: Option<Event>) -> Result<Reply, Internal> {
    session.reset.progress.ceremony.enrolment = None;
    if !session.save(event).await? {
        return Ok(Reply::Void);
    }
    Ok(Reply::onward(session))
}

async fn refuse_code(mut session: ResetSession) -> Result<Reply, Internal> {
    let reference = random::reference();
    let (issuer, user) = (session.reset.issuer.clone(), session.user.id.clone());
    let event = Some(Event::SecondFactorFailed { issuer, user, reference });
    let Some(enrolment) = &mut session.reset.progress.ceremony.enrolment else {
        return renew(session, event).await;
    };
    if !enrolment.survives_wrong_code() {
        return renew(session, event).await;
    }
    if !session.save(event).await? {
        return Ok(Reply::onward(session));
    }
    session.reset.version += 1;
    Ok(Reply::again(session, Problem::WrongCode))
}

/// Drops the recovery codes once they are stored: they cannot be read again.
pub(super) async fn stored(mut session: ResetSession, form: &Parameters) -> Result<Reply, Internal> {
    if form.get(Field::Stored.name()).is_none() {
        return Ok(Reply::again(session, Problem::Missing(Field::Stored)));
    }
    session.reset.progress.ceremony.recovery_codes = None;
    session.save(None).await?;
    Ok(Reply::onward(session))
}
