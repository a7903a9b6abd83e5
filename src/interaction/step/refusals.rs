//! Posts that do not lead on: what was wrong is noted in the login, and shown on the page that follows.

use super::super::login::{Login, Outcome};
use crate::domain::interaction::{Problem, Refusal};
use crate::provider::Internal;
use crate::views::{self, Field, Form, WaitView};

/// Fills in what was wrong with the last post; a lock is a page of its own.
pub(in crate::interaction) fn with_refusal(
    login: &Login,
    step: &str,
    mut form: Form,
) -> Result<Form, WaitView> {
    let Some(Refusal { problem, reference, .. }) = login.refusal(step) else { return Ok(form) };
    form.reference.clone_from(reference);
    match problem {
        Problem::Locked(until) if *until > login.now => {
            let retry = Some(login.address(step));
            return Err(WaitView { until: *until, now: login.now, retry, reference: form.reference });
        }
        // The page for an account that is not linked says so by itself.
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

/// The fields, by the words under which they are noted.
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

/// Refuses a post that cannot be checked because a field is empty.
pub(in crate::interaction) async fn missing(
    mut login: Login,
    step: &'static str,
    empty: &[Field],
) -> Result<(Login, Outcome), Internal> {
    let noted = FIELDS.iter().filter(|(_, field)| empty.contains(field));
    let fields = noted.map(|(word, _)| (*word).to_owned()).collect();
    login.refuse(step, Problem::Missing(fields), None);
    login.store().await
}

/// Refuses a post with a field that does not hold what it is for.
pub(in crate::interaction) async fn invalid(
    mut login: Login,
    step: &'static str,
    field: Field,
) -> Result<(Login, Outcome), Internal> {
    login.refuse(step, Problem::Invalid(field.name().to_owned()), None);
    login.store().await
}
