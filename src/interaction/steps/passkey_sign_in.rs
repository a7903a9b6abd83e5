//! Sign in with a passkey, without typing a name: two factors at once, where the tenant allows it.
//!
//! It has no page of its own: the button and the browser's list in the name field are on the page that asks for a name,
//! and its mistakes are shown there. At the root issuer the passkey tells the tenant, so it is offered as soon as any
//! tenant allows it; whether this one does is found out when its passkey is known, and then answered like any other no.

use futures_util::FutureExt;

use super::passkey::{answer, not_asked};
use super::{FIRST, Showing, Shown, Step, Taking};
use crate::account::passkeys::{Place, SignIn, SignedIn};
use crate::crypto::random;
use crate::domain::event::{Event, LoginFailure};
use crate::domain::ids::{Reference, UserId};
use crate::domain::interaction::{Interaction, Problem};
use crate::domain::passkey::Ceremony;
use crate::domain::policy::Need;
use crate::interaction::finish::Outcome;
use crate::interaction::login::Login;
use crate::protocol::parameters::Parameters;
use crate::provider::Internal;
use crate::views::{self, Form};

const NAME: &str = "passkey_sign_in";

pub(in crate::interaction::steps) struct PasskeySignIn;

/// The address of its post and what the browser is asked, where it is offered.
pub(super) async fn way(login: &Login) -> Result<Option<views::PasskeySignIn>, Internal> {
    let asked = match Place::of(&login.visitor.issuer) {
        Some(place) => asked(login, &place).await?,
        None => None,
    };
    Ok(asked.map(|asked| views::PasskeySignIn { action: login.address(NAME), options: asked.options }))
}

/// What the browser is asked at this version of the login, where it is offered.
async fn asked(login: &Login, place: &Place<'_>) -> Result<Option<Ceremony>, Internal> {
    let is_offered = match &login.visitor.tenant {
        Some(tenant) => tenant.policy.passkey_sign_in,
        None => login.idp().catalogue().any_passkey_sign_in().await?,
    };
    if !is_offered {
        return Ok(None);
    }
    let Interaction { id, version, .. } = &*login.interaction;
    let challenge = login.idp().sealer().keyed_hash("passkey sign-in", &format!("{id}\n{version}"));
    Ok(Some(place.ask_who_it_is(&challenge)?))
}

impl Step for PasskeySignIn {
    fn name(&self) -> &'static str {
        NAME
    }

    fn meets(&self, need: &Need) -> bool {
        matches!(need, Need::FirstFactor { .. })
    }

    fn show<'a>(&'a self, login: &'a Login, _: &'a Need, _: Form) -> Showing<'a> {
        async { Ok(Shown::late(login)) }.boxed()
    }

    fn submit<'a>(&'a self, login: Login, _: &'a Need, form: &'a Parameters) -> Taking<'a> {
        async move {
            let Some(answer) = answer(form) else { return not_asked(login, FIRST).await };
            let issuer = login.visitor.issuer.clone();
            let Some(place) = Place::of(&issuer) else { return Ok((login, Outcome::Conflict)) };
            let Some(asked) = asked(&login, &place).await? else { return Ok((login, Outcome::Conflict)) };
            let (fixed, network) = (login.visitor.tenant.clone(), login.visitor.network.clone());
            let account = login.idp().account();
            let found = account.passkey_sign_in(&place, fixed.as_deref(), network.as_deref(), &asked, answer);
            match found.await? {
                SignedIn::Right(sign_in) => proved(login, *sign_in).await,
                SignedIn::Wrong(reason) => failed(login, Problem::PasskeySignInFailed, reason).await,
                SignedIn::CounterWentBack(user) => copied(login, user).await,
                SignedIn::Locked(until) => failed(login, Problem::Locked(until), LoginFailure::Locked).await,
            }
        }
        .boxed()
    }
}

async fn proved(mut login: Login, sign_in: SignIn) -> Result<(Login, Outcome), Internal> {
    login.identify(&sign_in.user).await?;
    let at = login.proof_time(&sign_in.user);
    let before = login.interaction.progress.clone();
    let SignIn { user, epoch, proves, .. } = sign_in.clone();
    login.interaction.progress.first_factor_proved(&user, epoch, proves, at);
    let reference = random::reference();
    let written = login.write(move |mut login, tx| {
        let (sign_in, before, reference) = (sign_in.clone(), before.clone(), reference.clone());
        async move {
            if !sign_in.settle(tx, login.now).await? {
                login.interaction.progress = before;
                login.person = None;
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
    problem: Problem,
    reason: LoginFailure,
) -> Result<(Login, Outcome), Internal> {
    note(&mut login, problem, reason, random::reference());
    login.store().await
}

async fn copied(mut login: Login, user: UserId) -> Result<(Login, Outcome), Internal> {
    note_copied(&mut login, user, random::reference());
    login.store().await
}

fn note_copied(login: &mut Login, user: UserId, reference: Reference) {
    let issuer = login.interaction.issuer.clone();
    login.tell(Event::PasskeyCounterWentBack { issuer, user, reference: reference.clone() });
    note(login, Problem::PasskeySignInFailed, LoginFailure::PasskeyWrong, reference);
}

fn note(login: &mut Login, problem: Problem, reason: LoginFailure, reference: Reference) {
    login.refuse(FIRST, problem, Some(reference.clone()));
    login.tell(Event::LoginFailed { issuer: login.interaction.issuer.clone(), reason, reference });
}
