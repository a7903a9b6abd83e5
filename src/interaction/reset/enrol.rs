//! A new authenticator at the end of a reset: for an administrator who must have one, or for whoever has proved with a
//! recovery code that the old one is lost. Then the recovery codes that come with it.
//!
//! The password that was just set, and the second factor if there is one, were proved for it, and count for five minutes as
//! in a login. After that the login enrols what is missing.

use axum::response::Response;
use futures_util::FutureExt;

use super::pages;
use super::session::{ResetSession, void};
use crate::account::authenticator_snapshot::AuthenticatorSnapshot;
use crate::account::ending::{self, Spared};
use crate::account::factors::{self, Confirmed};
use crate::crypto::random;
use crate::domain::authenticator::{Held, Kind, Method};
use crate::domain::event::Event;
use crate::domain::interaction::Enrolment;
use crate::domain::passkey::RpId;
use crate::domain::reset::{Enrols, Reset};
use crate::interaction::step::enrolling;
use crate::protocol::parameters::Parameters;
use crate::provider::Internal;
use crate::storage::{self, resets};
use crate::views::{self, Body, Duty, Field, Form, Problem};

/// Which authenticator must be enrolled here once the password is changed, if any. Where none is demanded, or none that
/// this page could enrol, the login will say what is missing.
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
pub(super) async fn page(session: &ResetSession, form: Form) -> Result<Result<Body, Response>, Internal> {
    let Some(shown) =
        begun(session).await?.map(|begun| session.idp().account().shown(&begun)).transpose()?.flatten()
    else {
        return begin(session).await.map(Err);
    };
    let duty = match session.reset.progress.enrols {
        Some(Enrols::Duty) => Duty::Administrator,
        _ => Duty::Replacement,
    };
    Ok(Ok(Body::Enrol(enrolling::secret_page(&shown, &session.user, &session.tenant, form, duty))))
}

/// The enrolment of this reset, as long as it is good.
async fn begun(session: &ResetSession) -> Result<Option<factors::Enrolment>, Internal> {
    let begun = session.reset.progress.enrolment.as_ref();
    Ok(session.idp().account().enrolment(&session.user.id, begun, session.now).await?)
}

async fn begin(session: &ResetSession) -> Result<Response, Internal> {
    let start = session.idp().account().start_enrolment(&session.user.id, Kind::application())?;
    let mut reset = session.reset.clone();
    reset.progress.enrolment = Some(Enrolment::begin(&start.authenticator, session.now));
    let written = session.idp().db().write(move |tx| {
        let (start, reset) = (start.clone(), reset.clone());
        async move {
            if resets::save(tx, &reset).await? {
                start.settle(tx).await?;
            }
            Ok(())
        }
        .boxed()
    });
    written.await?;
    Ok(pages::onward(session))
}

/// Takes the first code of the new authenticator.
pub(super) async fn submit(mut session: ResetSession, form: &Parameters) -> Result<Response, Internal> {
    let Some(code) = form.get(Field::Code.name()) else {
        return pages::open(&session, pages::ENROL, &[Problem::Missing(Field::Code)]).await;
    };
    let Some(enrolment) = begun(&session).await? else { return renewed(session).await };
    let account = session.idp().account();
    let Some(confirmation) = account.confirmation(enrolment, &session.reset.place(), code)? else {
        return wrong(session).await;
    };
    let codes = account.new_recovery_codes(&session.user, &session.tenant, &row(&session.reset))?;
    let mut after = session.reset.clone();
    let progress = &mut after.progress;
    (progress.enrols, progress.enrolment, progress.recovery_codes) = (None, None, Some(codes.sealed.clone()));
    let now = session.now;
    // What can be used here is taken for lost, passkeys too.
    let is_replacement = session.reset.progress.enrols == Some(Enrols::Replacement);
    let lost = RpId::of(&session.page_request.issuer.url).filter(|_| is_replacement);
    let before = AuthenticatorSnapshot { ids: after.progress.replaces.clone(), lost };
    let settled = after.clone();
    let written = session.idp().db().write(move |tx| {
        let (after, codes) = (settled.clone(), codes.clone());
        let (confirmation, before) = (confirmation.clone(), before.clone());
        async move {
            let saved = resets::save(tx, &after).await?;
            if !saved || confirmation.settle(tx, &before, now).await? != Confirmed::Yes {
                return Err(storage::Error::Conflict);
            }
            if is_replacement {
                ending::end(tx, &after.user, Spared { session: None, reset: Some(&after.link) }).await?;
            }
            codes.settle(tx).await
        }
        .boxed()
    });
    match written.await {
        // Another tab was quicker: the page knows what is due.
        Err(storage::Error::Conflict) => return Ok(pages::onward(&session)),
        written => written?,
    }
    session.idp().observe(&Event::AuthenticatorEnrolled { user: after.user.clone() });
    session.reset = after;
    Ok(pages::onward(&session))
}

/// The secret that was shown is void; the next one is made with the page.
async fn renewed(mut session: ResetSession) -> Result<Response, Internal> {
    session.reset.progress.enrolment = None;
    if !session.save().await? {
        return Ok(void(&session.page_request));
    }
    Ok(pages::onward(&session))
}

async fn wrong(mut session: ResetSession) -> Result<Response, Internal> {
    let reference = random::reference();
    let (issuer, user) = (session.reset.issuer.clone(), session.user.id.clone());
    session.idp().observe(&Event::SecondFactorFailed { issuer, user, reference });
    let Some(enrolment) = &mut session.reset.progress.enrolment else { return renewed(session).await };
    if !enrolment.survives_wrong_code() {
        return renewed(session).await;
    }
    if !session.save().await? {
        return Ok(pages::onward(&session));
    }
    session.reset.version += 1;
    pages::open(&session, pages::ENROL, &[Problem::WrongCode]).await
}

/// The page with the recovery codes, until they are stored.
pub(super) fn codes(session: &ResetSession, form: Form) -> Result<Body, Internal> {
    let sealed = session.reset.progress.recovery_codes.as_deref().unwrap_or_default();
    let codes = session.idp().account().shown_recovery_codes(sealed, &row(&session.reset))?;
    Ok(Body::RecoveryCodes(views::RecoveryCodesView {
        form,
        codes,
        account: session.user.username.to_string(),
    }))
}

/// They are stored: nobody can read them again.
pub(super) async fn stored(mut session: ResetSession, form: &Parameters) -> Result<Response, Internal> {
    if form.get(Field::Stored.name()).is_none() {
        return pages::open(&session, pages::RECOVERY_CODES, &[Problem::Missing(Field::Stored)]).await;
    }
    session.reset.progress.recovery_codes = None;
    session.save().await?;
    Ok(pages::onward(&session))
}

/// The row that the recovery codes are sealed for.
fn row(reset: &Reset) -> String {
    format!("resets/{}", reset.link)
}
