//! The steps of a login: each has a page, meets one kind of need, and knows no other step.

mod activation;
mod choose_account;
mod choose_method;
mod confirm_code;
mod consent;
mod desktop;
mod email;
pub(super) mod enrol;
mod enrol_passkey;
mod enrolling;
mod identify;
mod link;
mod new_password;
mod notice;
mod passkey;
pub(super) mod passkey_sign_in;
mod phone;
mod recovery;
mod recovery_codes;
pub(super) mod resync;
mod second_factor;
mod sending;
mod upstream_proof;

use axum::http::StatusCode;
use futures_util::future::BoxFuture;

use super::finish::Outcome;
use super::login::Login;
use crate::account::factors::Verdict;
use crate::domain::event::Event;
use crate::domain::ids::Reference;
use crate::domain::interaction::{Problem, Refusal};
use crate::domain::policy::Need;
use crate::protocol::parameters::Parameters;
use crate::provider::Internal;
use crate::views::{self, Body, Field, Form, Wait};

/// A page in the making.
pub(super) type Showing<'a> = BoxFuture<'a, Result<Shown, Internal>>;

/// A post that is being taken.
pub(super) type Taking<'a> = BoxFuture<'a, Result<(Login, Outcome), Internal>>;

/// One step.
pub(super) trait Step: Sync {
    /// The last part of its address.
    fn name(&self) -> &'static str;

    /// Does its page answer this need?
    fn meets(&self, need: &Need) -> bool;

    /// The page. It is only asked for while the need is the next one and nothing is locked. The form says already what the
    /// last post was answered.
    fn show<'a>(&'a self, login: &'a Login, need: &'a Need, form: Form) -> Showing<'a>;

    /// Takes what was posted from the page, and writes what follows from it.
    fn submit<'a>(&'a self, login: Login, need: &'a Need, form: &'a Parameters) -> Taking<'a>;
}

/// What comes of showing a page.
pub(super) enum Shown {
    /// This.
    Page(Body),
    /// This, and nothing can be done here now.
    Refusal(StatusCode, Body),
    /// Something had to be written first.
    Changed(Box<Login>, Outcome),
}

impl Shown {
    /// The login is no longer as it was when the page was chosen; the engine is asked again.
    fn late(login: &Login) -> Self {
        Self::Changed(Box::new(login.clone()), Outcome::Conflict)
    }
}

/// Every step. Where two meet the same need, the first is shown and the other is reached by a link.
static STEPS: &[&dyn Step] = &[
    &choose_account::ChooseAccount,
    &identify::Identify,
    &passkey_sign_in::PasskeySignIn,
    &passkey::Passkey,
    &link::Link,
    &upstream_proof::UpstreamProof,
    &second_factor::SecondFactor,
    &recovery::Recovery,
    &new_password::NewPassword,
    &activation::Activation,
    &resync::Resync,
    &desktop::DesktopName,
    &choose_method::ChooseMethod,
    &phone::Phone,
    &email::Email,
    &confirm_code::ConfirmCode,
    &enrol::Enrol,
    &enrol_passkey::EnrolPasskey,
    &recovery_codes::RecoveryCodes,
    &notice::Notice,
    &consent::Consent,
];

/// The step whose address is given out when the current one is not known.
pub(super) const FIRST: &str = "identify";

/// The step at which a stranger from upstream may link an account.
pub(super) use link::NAME as LINK;

/// The step of that name.
pub(super) fn named(name: &str) -> Option<&'static dyn Step> {
    STEPS.iter().copied().find(|step| step.name() == name)
}

/// The name of the step that asks for this.
pub(super) fn asking(need: &Need) -> &'static str {
    STEPS.iter().find(|step| step.meets(need)).map_or(FIRST, |step| step.name())
}

/// Fills in what the last post was answered; a lock is a page of its own.
pub(super) fn with_refusal(login: &Login, step: &str, mut form: Form) -> Result<Form, Wait> {
    let Some(Refusal { problem, reference, .. }) = login.refusal(step) else { return Ok(form) };
    form.reference.clone_from(reference);
    match problem {
        Problem::Locked(until) if *until > login.now => {
            let retry = Some(login.address(step));
            return Err(Wait { until: *until, now: login.now, retry, reference: form.reference });
        }
        // The page of who is not linked says so by itself.
        Problem::Locked(_) | Problem::NotLinked => {}
        Problem::Missing(fields) => {
            let fields = fields.iter().filter_map(|word| field(word));
            form.problems.extend(fields.map(views::Problem::Missing));
        }
        Problem::Invalid(word) => form.problems.extend(field(word).map(views::Problem::Invalid)),
        Problem::SignInFailed => form.problems.push(views::Problem::LoginFailed),
        Problem::WrongPasskey => form.problems.push(views::Problem::PasskeyWrong),
        Problem::NoPasskey => form.problems.push(views::Problem::PasskeyMissing),
        Problem::PasskeySignInFailed => form.problems.push(views::Problem::PasskeySignInFailed),
        Problem::WrongCode => form.problems.push(views::Problem::CodeWrong),
        Problem::WrongCodes => form.problems.push(views::Problem::CodesWrong),
        Problem::CodeExpired => form.problems.push(views::Problem::CodeExpired),
        Problem::WrongRecoveryCode => form.problems.push(views::Problem::RecoveryCodeWrong),
        Problem::NewPassword(fault) => form.problems.push(views::Problem::NewPassword(*fault)),
        Problem::StartedAgain => form.problems.push(views::Problem::StartedAgain),
        Problem::EnrolmentVoid => form.problems.push(views::Problem::SecretRenewed),
        Problem::DestinationVoid => form.problems.push(views::Problem::DestinationAgain),
        Problem::UpstreamUnavailable => form.problems.push(views::Problem::UpstreamUnavailable),
        Problem::UpstreamRefused => form.problems.push(views::Problem::UpstreamRefused),
        Problem::UpstreamUnproved => form.problems.push(views::Problem::UpstreamUnproved),
        Problem::WrongInvitation => form.problems.push(views::Problem::InvitationWrong),
    }
    Ok(form)
}

/// The fields by the words under which they are noted.
const FIELDS: [(&str, Field); 15] = [
    ("tenant", Field::Tenant),
    ("username", Field::Username),
    ("password", Field::Password),
    ("code", Field::Code),
    ("recovery_code", Field::RecoveryCode),
    ("invitation", Field::Invitation),
    ("stored", Field::Stored),
    ("personal_desktop", Field::PersonalDesktop),
    ("method", Field::Method),
    ("new_password", Field::NewPassword),
    ("new_password_again", Field::NewPasswordAgain),
    ("country", Field::Country),
    ("phone_number", Field::PhoneNumber),
    ("email", Field::Email),
    ("next_code", Field::NextCode),
];

fn field(word: &str) -> Option<Field> {
    FIELDS.into_iter().find(|(name, _)| *name == word).map(|(_, field)| field)
}

/// A post that cannot be checked because a field is empty.
async fn missing(
    mut login: Login,
    step: &'static str,
    empty: &[Field],
) -> Result<(Login, Outcome), Internal> {
    let noted = FIELDS.iter().filter(|(_, field)| empty.contains(field));
    let fields = noted.map(|(word, _)| (*word).to_owned()).collect();
    login.refuse(step, Problem::Missing(fields), None);
    login.store().await
}

/// A post of which a field does not hold what it is for.
async fn invalid(mut login: Login, step: &'static str, field: Field) -> Result<(Login, Outcome), Internal> {
    login.refuse(step, Problem::Invalid(field.name().to_owned()), None);
    login.store().await
}

/// Wrong codes in one login, after which it starts again with the password (functional specification 6.7).
const CODES: u32 = 5;

/// Notes what came of a second factor; `true`: it was right. That there may be a copy of a passkey is told to the observer
/// alone: the user sees no more than that it was wrong.
fn is_right(
    login: &mut Login,
    step: &'static str,
    verdict: Verdict,
    wrong: Problem,
    reference: Reference,
) -> bool {
    match verdict {
        Verdict::Right => {
            login.interaction.progress.resync = false;
            return true;
        }
        Verdict::Wrong => wrong_code(login, step, wrong, &reference),
        Verdict::Copied => {
            if let Some(person) = &login.person {
                let (issuer, user) = (login.interaction.issuer.clone(), person.user.id.clone());
                let reference = reference.clone();
                login.tell(Event::PasskeyCounterWentBack { issuer, user, reference });
            }
            wrong_code(login, step, wrong, &reference);
        }
        Verdict::Expired => login.refuse(step, Problem::CodeExpired, None),
        Verdict::Locked(until) => login.refuse(step, Problem::Locked(until), Some(reference)),
    }
    false
}

/// Counts a wrong code; `true`: that was one too many, and the login starts again.
fn starts_again(login: &mut Login, step: &'static str, wrong: Problem, reference: &Reference) -> bool {
    let progress = &mut login.interaction.progress;
    progress.wrong_codes = progress.wrong_codes.saturating_add(1);
    if progress.wrong_codes < CODES {
        login.refuse(step, wrong, Some(reference.clone()));
        return false;
    }
    progress.start_again();
    login.refuse(FIRST, Problem::StartedAgain, Some(reference.clone()));
    true
}

/// Notes a wrong code of a second factor.
fn wrong_code(login: &mut Login, step: &'static str, wrong: Problem, reference: &Reference) {
    let Some(person) = login.person.clone() else { return };
    if starts_again(login, step, wrong, reference) {
        login.keep_names(person.tenant.domain.as_str(), person.user.username.as_str());
        login.person = None;
    }
    login.tell(Event::SecondFactorFailed {
        issuer: login.interaction.issuer.clone(),
        user: person.user.id,
        reference: reference.clone(),
    });
}
