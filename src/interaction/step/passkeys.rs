//! What the browser is asked with a passkey, and its answer as the pages' forms bring it.

use super::super::login::{Login, Outcome};
use super::StepView;
use super::links::PASSKEY_SIGN_IN;
use crate::account::passkeys::RelyingPartyContext;
use crate::domain::form::Problem;
use crate::domain::interaction::Interaction;
use crate::domain::passkey::PasskeyChallenge;
use crate::protocol::parameters::Parameters;
use crate::provider::Internal;
use crate::views::{self, Field};

/// The browser's answer that the page's script put into the form; `None` if no script ran.
pub(in crate::interaction) fn answer(form: &Parameters) -> Option<&str> {
    form.get(Field::Credential.name())
}

/// Refuses a form that was sent before the browser was asked; the question stands.
pub(in crate::interaction) async fn not_asked(
    mut login: Login,
    step: &str,
) -> Result<(Login, Outcome), Internal> {
    login.refuse(step, Problem::NoPasskey, None);
    login.store().await
}

/// Stores what the browser is asked, then shows the page again.
pub(in crate::interaction) async fn remember_question(
    login: &Login,
    challenge: PasskeyChallenge,
) -> Result<StepView, Internal> {
    let mut login = login.clone();
    login.interaction.progress.ceremony.challenge = Some(challenge);
    let (login, outcome) = login.store().await?;
    Ok(StepView::Changed(Box::new(login), outcome))
}

/// The address of its post and what the browser is asked, where it is offered.
pub(in crate::interaction) async fn sign_in_offer(
    login: &Login,
) -> Result<Option<views::PasskeyOffer>, Internal> {
    let asked = match RelyingPartyContext::of(&login.page_request.issuer) {
        Some(context) => sign_in_question(login, &context).await?,
        None => None,
    };
    Ok(asked
        .map(|asked| views::PasskeyOffer { action: login.address(PASSKEY_SIGN_IN), options: asked.options }))
}

/// What the browser is asked at this version of the login, where it is offered.
pub(in crate::interaction) async fn sign_in_question(
    login: &Login,
    context: &RelyingPartyContext<'_>,
) -> Result<Option<PasskeyChallenge>, Internal> {
    let is_offered = match &login.page_request.tenant {
        Some(tenant) => tenant.policy.passkey_sign_in,
        None => login.idp().catalogue().any_passkey_sign_in().await?,
    };
    if !is_offered {
        return Ok(None);
    }
    let Interaction { id, version, .. } = &*login.interaction;
    let challenge = login.idp().sealer().keyed_hash("passkey sign-in", &format!("{id}\n{version}"));
    Ok(Some(context.ask_who_it_is(&challenge)?))
}
