//! The steps of a login, one file each: a step knows no other step. This file lists them and finds the one that is due.

mod activation;
mod choose_account;
mod choose_method;
mod confirm_code;
mod consent;
mod desktop;
mod email;
mod enrol;
mod enrol_passkey;
mod identify;
mod link;
mod new_password;
mod notice;
mod passkey;
mod passkey_sign_in;
mod phone;
mod recovery;
mod recovery_codes;
mod resync;
mod second_factor;
mod upstream_proof;

use axum::response::Response;

use super::login::{Due, Login, Outcome};
use super::step::Step;
use super::step::links::{FIRST, RESYNC};
use crate::domain::policy::Need;

/// Every step. Where two meet the same need, the first is shown and the other is reached by a link.
static STEPS: &[&dyn Step] = &[
    &choose_account::ChooseAccountStep,
    &identify::IdentifyStep,
    &passkey_sign_in::PasskeySignInStep,
    &passkey::PasskeyStep,
    &link::LinkStep,
    &upstream_proof::UpstreamProofStep,
    &second_factor::SecondFactorStep,
    &recovery::RecoveryStep,
    &new_password::NewPasswordStep,
    &activation::ActivationStep,
    &resync::ResyncStep,
    &desktop::DesktopNameStep,
    &choose_method::ChooseMethodStep,
    &phone::PhoneStep,
    &email::EmailStep,
    &confirm_code::ConfirmCodeStep,
    &enrol::EnrolStep,
    &enrol_passkey::EnrolPasskeyStep,
    &recovery_codes::RecoveryCodesStep,
    &notice::NoticeStep,
    &consent::ConsentStep,
];

/// The step of that name.
pub(super) fn named(name: &str) -> Option<&'static dyn Step> {
    STEPS.iter().copied().find(|step| step.name() == name)
}

/// The name of the step that asks for this.
pub(super) fn asking(need: &Need) -> &'static str {
    STEPS.iter().find(|step| step.meets(need)).map_or(FIRST, |step| step.name())
}

/// The name of the page that comes next: the one whose last post was refused or that the user has asked for, if it meets
/// the need.
pub(super) fn current(login: &Login) -> &'static str {
    let Due::Ask(need) = login.next() else { return FIRST };
    let progress = &login.interaction.progress;
    let refused = progress.refusal.as_ref().and_then(|refusal| named(&refusal.step));
    let wanted = progress.resync.then(|| named(RESYNC)).flatten();
    let page = refused.or(wanted).filter(|step| step.meets(&need));
    page.map_or_else(|| asking(&need), |step| step.name())
}

/// The answer to the browser; a login that goes on leads to its next page. After a conflict the login is another one by now,
/// so its first page is asked, which leads to the page that is due.
pub(super) fn respond(login: &Login, outcome: Outcome) -> Response {
    let step = if matches!(outcome, Outcome::NextStep) { current(login) } else { FIRST };
    login.respond(outcome, step)
}
