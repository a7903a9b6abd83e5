//! The steps that others lead to: their names, and when a page offers them.

use super::super::login::Login;
use crate::domain::authenticator::Method;
use crate::domain::policy::{FactorOptions, Need};
use crate::provider::Internal;
use crate::storage::recovery_codes;

/// The step at which a login begins.
pub(in crate::interaction) const FIRST: &str = "identify";
/// Signs in with a passkey; it has no page of its own.
pub(in crate::interaction) const PASSKEY_SIGN_IN: &str = "passkey_sign_in";
/// Links an account with a user who is signed in upstream.
pub(in crate::interaction) const LINK: &str = "link";
/// Asks for a passkey as the second factor.
pub(in crate::interaction) const PASSKEY: &str = "passkey";
/// Asks for the code of the second factor.
pub(in crate::interaction) const SECOND_FACTOR: &str = "second_factor";
/// Asks for a recovery code.
pub(in crate::interaction) const RECOVERY: &str = "recovery";
/// Resynchronises a device.
pub(in crate::interaction) const RESYNC: &str = "resync";
/// Asks for the telephone number of a new authenticator.
pub(in crate::interaction) const PHONE: &str = "phone";
/// Asks for the mailbox of a new authenticator.
pub(in crate::interaction) const EMAIL: &str = "email";
/// Shows the secret of a new authenticator application.
pub(in crate::interaction) const ENROL: &str = "enrol";

/// The step that an enrolment of this method begins with.
pub(in crate::interaction) const fn enrolment(method: Option<Method>) -> &'static str {
    match method {
        Some(Method::Sms) => PHONE,
        Some(Method::Mail) => EMAIL,
        _ => ENROL,
    }
}

const fn options(need: &Need) -> FactorOptions {
    match need {
        Need::SecondFactor { ways, .. } => *ways,
        _ => FactorOptions { code: false, passkey: false, resync: false },
    }
}

/// The step that is shown first where a second factor is needed. A user who holds nothing that can be used here has a
/// recovery code left.
pub(in crate::interaction) const fn first_factor_page(need: &Need) -> &'static str {
    match options(need) {
        FactorOptions { passkey: true, .. } => PASSKEY,
        FactorOptions { code: true, .. } => SECOND_FACTOR,
        FactorOptions { .. } => RECOVERY,
    }
}

/// The page that asks for a code, where the user has something that makes or receives codes.
pub(in crate::interaction) fn code(login: &Login, need: &Need) -> Option<String> {
    options(need).code.then(|| login.address(SECOND_FACTOR))
}

/// The page that asks for a passkey, where the user has one for it.
pub(in crate::interaction) fn passkey(login: &Login, need: &Need) -> Option<String> {
    options(need).passkey.then(|| login.address(PASSKEY))
}

/// The page that resynchronises the user's device, where that is offered.
pub(in crate::interaction) fn resync(login: &Login) -> Option<String> {
    login.may_resynchronise().then(|| login.address(RESYNC))
}

/// The page that asks for a recovery code, if the user has one left.
pub(in crate::interaction) async fn recovery(login: &Login) -> Result<Option<String>, Internal> {
    let Some(login_user) = &login.user else { return Ok(None) };
    let left = recovery_codes::left(&mut login.idp().db().read().tx(), &login_user.user.id).await?;
    Ok((left > 0).then(|| login.address(RECOVERY)))
}
