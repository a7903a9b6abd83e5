//! A new authenticator at the end of a reset: for an administrator who must have one, or for whoever has proved with a
//! recovery code that the old one is lost. Then the recovery codes that come with it.
//!
//! The password that was just set, and the second factor if there is one, were proved for it, and count for five minutes as
//! in a login. After that the login enrols what is missing.

use axum::response::Response;
use futures_util::FutureExt;

use super::holder::{ResetSession, void};
use super::pages;
use crate::account::ending::{self, Spared};
use crate::account::factors::{self, Confirmed};
use crate::account::holdings::AuthenticatorSnapshot;
use crate::crypto::random;
use crate::domain::authenticator::{Held, Kind, Method};
use crate::domain::event::Event;
use crate::domain::interaction::Enrolment;
use crate::domain::passkey::RpId;
use crate::domain::reset::{Enrols, Reset};
use crate::interaction::steps;
use crate::protocol::parameters::Parameters;
use crate::provider::Internal;
use crate::storage::{self, resets};
use crate::views::{self, Body, Duty, Field, Form, Problem};

/// Which authenticator must be enrolled here once the password is changed, if any. Where none is demanded, or none that
/// this page could enrol, the login will say what is missing.
pub(super) fn due(holder: &ResetSession, recovering: bool, held: &[Held]) -> Option<Enrols> {
    let policy = &holder.tenant.policy;
    if !holder.idp().account().methods(policy, false).contains(&Method::Totp) {
        return None;
    }
    let best = held.iter().filter(|held| held.usable).map(|held| held.worth).max();
    let duty = policy.admin_duty(holder.user.is_admin(), holder.now);
    if recovering {
        Some(Enrols::Replacement)
    } else if duty && best < Some(Method::Totp.worth()) {
        Some(Enrols::Duty)
    } else {
        None
    }
}

/// The page with the secret; the secret is made when the page is first opened.
pub(super) async fn page(holder: &ResetSession, form: Form) -> Result<Result<Body, Response>, Internal> {
    let Some(shown) =
        begun(holder).await?.map(|begun| holder.idp().account().shown(&begun)).transpose()?.flatten()
    else {
        return begin(holder).await.map(Err);
    };
    let duty = match holder.reset.progress.enrols {
        Some(Enrols::Duty) => Duty::Administrator,
        _ => Duty::Replacement,
    };
    Ok(Ok(Body::Enrol(steps::enrol::page(&shown, &holder.user, &holder.tenant, form, duty))))
}

/// The enrolment of this reset, as long as it is good.
async fn begun(holder: &ResetSession) -> Result<Option<factors::Enrolment>, Internal> {
    let begun = holder.reset.progress.enrolment.as_ref();
    Ok(holder.idp().account().enrolment(&holder.user.id, begun, holder.now).await?)
}

async fn begin(holder: &ResetSession) -> Result<Response, Internal> {
    let start = holder.idp().account().start_enrolment(&holder.user.id, Kind::application())?;
    let mut reset = holder.reset.clone();
    reset.progress.enrolment = Some(Enrolment::begin(&start.authenticator, holder.now));
    let written = holder.idp().db().write(move |tx| {
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
    Ok(pages::onward(holder))
}

/// Takes the first code of the new authenticator.
pub(super) async fn submit(mut holder: ResetSession, form: &Parameters) -> Result<Response, Internal> {
    let Some(code) = form.get(Field::Code.name()) else {
        return pages::open(&holder, pages::ENROL, &[Problem::Missing(Field::Code)]).await;
    };
    let Some(enrolment) = begun(&holder).await? else { return renewed(holder).await };
    let account = holder.idp().account();
    let Some(confirmation) = account.confirmation(enrolment, &holder.reset.place(), code)? else {
        return wrong(holder).await;
    };
    let codes = account.new_recovery_codes(&holder.user, &holder.tenant, &row(&holder.reset))?;
    let mut after = holder.reset.clone();
    let progress = &mut after.progress;
    (progress.enrols, progress.enrolment, progress.recovery_codes) = (None, None, Some(codes.sealed.clone()));
    let now = holder.now;
    // What can be used here is taken for lost, passkeys too.
    let is_replacement = holder.reset.progress.enrols == Some(Enrols::Replacement);
    let lost = RpId::of(&holder.visitor.issuer.url).filter(|_| is_replacement);
    let before = AuthenticatorSnapshot { ids: after.progress.replaces.clone(), lost };
    let settled = after.clone();
    let written = holder.idp().db().write(move |tx| {
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
        Err(storage::Error::Conflict) => return Ok(pages::onward(&holder)),
        written => written?,
    }
    holder.idp().observe(&Event::AuthenticatorEnrolled { user: after.user.clone() });
    holder.reset = after;
    Ok(pages::onward(&holder))
}

/// The secret that was shown is void; the next one is made with the page.
async fn renewed(mut holder: ResetSession) -> Result<Response, Internal> {
    holder.reset.progress.enrolment = None;
    if !holder.save().await? {
        return Ok(void(&holder.visitor));
    }
    Ok(pages::onward(&holder))
}

async fn wrong(mut holder: ResetSession) -> Result<Response, Internal> {
    let reference = random::reference();
    let (issuer, user) = (holder.reset.issuer.clone(), holder.user.id.clone());
    holder.idp().observe(&Event::SecondFactorFailed { issuer, user, reference });
    let Some(enrolment) = &mut holder.reset.progress.enrolment else { return renewed(holder).await };
    if !enrolment.survives_wrong_code() {
        return renewed(holder).await;
    }
    if !holder.save().await? {
        return Ok(pages::onward(&holder));
    }
    holder.reset.version += 1;
    pages::open(&holder, pages::ENROL, &[Problem::CodeWrong]).await
}

/// The page with the recovery codes, until they are stored.
pub(super) fn codes(holder: &ResetSession, form: Form) -> Result<Body, Internal> {
    let sealed = holder.reset.progress.recovery_codes.as_deref().unwrap_or_default();
    let codes = holder.idp().account().shown_recovery_codes(sealed, &row(&holder.reset))?;
    Ok(Body::RecoveryCodes(views::RecoveryCodes { form, codes, account: holder.user.username.to_string() }))
}

/// They are stored: nobody can read them again.
pub(super) async fn stored(mut holder: ResetSession, form: &Parameters) -> Result<Response, Internal> {
    if form.get(Field::Stored.name()).is_none() {
        return pages::open(&holder, pages::RECOVERY_CODES, &[Problem::Missing(Field::Stored)]).await;
    }
    holder.reset.progress.recovery_codes = None;
    holder.save().await?;
    Ok(pages::onward(&holder))
}

/// The row that the recovery codes are sealed for.
fn row(reset: &Reset) -> String {
    format!("resets/{}", reset.link)
}
