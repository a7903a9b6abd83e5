//! The pages on the way back in, and the page of a new password, which a login may ask for too.

use super::form::Form;
use super::frame::WayBack;
use crate::domain::ids::Reference;
use crate::domain::password::PasswordRules;

/// The password is forgotten. Posts `tenant`, `username`.
pub struct ForgottenView {
    /// The form.
    pub form: Form,
    /// What stands in the tenant field; `None` where the tenant is fixed and there is no such field.
    pub tenant: Option<String>,
    /// What stands in the name field.
    pub username: String,
}

/// A mail was sent, if there is anybody to send it to. The same for everybody.
pub struct ResetSentView {
    /// Back to the login.
    pub login: Option<String>,
}

/// A new password. Posts `new_password`, `new_password_again`.
pub struct NewPasswordView {
    /// The form.
    pub form: Form,
    /// What it must be.
    pub rules: PasswordRules,
    /// Whose it will be.
    pub account: String,
}

impl NewPasswordView {
    /// The least number of its characters, as texts count.
    pub(super) fn least(&self) -> i64 {
        i64::from(self.rules.least)
    }
}

/// The new password counts.
pub struct ResetDoneView {
    /// The login that waits in this browser.
    pub login: Option<String>,
    /// Otherwise the application that it was for.
    pub back: Option<WayBack>,
}

/// A link that opens nothing: expired, used, replaced or forged. One page for all.
pub struct ResetVoidView {
    /// Where to ask for another.
    pub again: Option<String>,
    /// What an administrator can explain.
    pub reference: Option<Reference>,
}
