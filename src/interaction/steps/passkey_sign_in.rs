//! Sign in with a passkey, without typing a name: two factors at once, where the tenant allows it.
//!
//! It has no page of its own: the button and the browser's list in the name field are on the page that asks for a name,
//! and its mistakes are shown there. At the root issuer the passkey tells the tenant, so it is offered as soon as any
//! tenant allows it; whether this one does is found out when its passkey is known, and then answered like any other no.

use futures_util::FutureExt;

use crate::account::passkeys::{PasskeyLogin, RelyingPartyContext, SignedIn};
use crate::crypto::random;
use crate::domain::event::{Event, LoginFailure};
use crate::domain::form::Problem;
use crate::domain::ids::{Reference, UserId};
use crate::domain::interaction::RefusalCause;
use crate::domain::policy::Need;
use crate::interaction::login::{Login, Outcome};
use crate::interaction::step::links::FIRST;
use crate::interaction::step::passkeys::{answer, not_asked, sign_in_question};
use crate::interaction::step::{Showing, Step, StepView, Submitting, links};
use crate::protocol::parameters::Parameters;
use crate::provider::Internal;
use crate::views::Form;

const NAME: &str = links::PASSKEY_SIGN_IN;

pub(super) struct PasskeySignInStep;

impl Step for PasskeySignInStep {
    fn name(&self) -> &'static str {
        NAME
    }

    fn meets(&self, need: &Need) -> bool {
        matches!(need, Need::FirstFactor { .. })
    }

    fn show<'a>(&'a self, login: &'a Login, _: &'a Need, _: Form) -> Showing<'a> {
        async { Ok(StepView::late(login)) }.boxed()
    }

    fn submit<'a>(&'a self, login: Login, _: &'a Need, form: &'a Parameters) -> Submitting<'a> {
        async move {
            let Some(answer) = answer(form) else { return not_asked(login, FIRST).await };
            let issuer = login.page_request.issuer.clone();
            let Some(context) = RelyingPartyContext::of(&issuer) else {
                return Ok((login, Outcome::Conflict));
            };
            let Some(asked) = sign_in_question(&login, &context).await? else {
                return Ok((login, Outcome::Conflict));
            };
            let (fixed, network) = (login.page_request.tenant.clone(), login.page_request.network.clone());
            let account = login.idp().account();
            let found =
                account.passkey_sign_in(&context, fixed.as_deref(), network.as_deref(), &asked, answer);
            match found.await? {
                SignedIn::Right(sign_in) => proved(login, *sign_in).await,
                SignedIn::Wrong(reason) => failed(login, Problem::PasskeySignInFailed.into(), reason).await,
                SignedIn::CounterWentBack(user) => copied(login, user).await,
                SignedIn::Locked(until) => {
                    failed(login, RefusalCause::Locked(until), LoginFailure::Locked).await
                }
            }
        }
        .boxed()
    }
}

async fn proved(mut login: Login, sign_in: PasskeyLogin) -> Result<(Login, Outcome), Internal> {
    login.identify(&sign_in.user).await?;
    let at = login.proof_time(&sign_in.user);
    let before = login.interaction.progress.clone();
    let PasskeyLogin { user, epoch, proves, .. } = sign_in.clone();
    login.interaction.progress.first_factor_proved(&user, epoch, proves, at);
    let reference = random::reference();
    let written = login.write(move |mut login, tx| {
        let (sign_in, before, reference) = (sign_in.clone(), before.clone(), reference.clone());
        async move {
            if !sign_in.consume(tx, login.now).await? {
                login.interaction.progress = before;
                login.user = None;
                note_copied(&mut login, sign_in.user, reference);
            }
            Ok(login)
        }
        .boxed()
    });
    written.await
}

/// Every failure looks alike; why it was one, the observer learns under the reference that the page shows.
async fn failed(
    mut login: Login,
    cause: RefusalCause,
    reason: LoginFailure,
) -> Result<(Login, Outcome), Internal> {
    note(&mut login, cause, reason, random::reference());
    login.store().await
}

async fn copied(mut login: Login, user: UserId) -> Result<(Login, Outcome), Internal> {
    note_copied(&mut login, user, random::reference());
    login.store().await
}

fn note_copied(login: &mut Login, user: UserId, reference: Reference) {
    let issuer = login.interaction.issuer.clone();
    login.tell(Event::PasskeyCounterWentBack { issuer, user, reference: reference.clone() });
    note(login, Problem::PasskeySignInFailed.into(), LoginFailure::PasskeyWrong, reference);
}

fn note(login: &mut Login, cause: RefusalCause, reason: LoginFailure, reference: Reference) {
    login.refuse(FIRST, cause, Some(reference.clone()));
    login.tell(Event::LoginFailed { issuer: login.interaction.issuer.clone(), reason, reference });
}
