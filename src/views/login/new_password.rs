//! The page that asks for a new password, in a login or after a reset. Posts `new_password`, `new_password_again`.

use crate::domain::password::{PasswordFault, PasswordRules};
use crate::views::assets::Asset;
use crate::views::form::{Form, Problem};
use crate::views::samples;
use crate::views::view::View;

/// Asks for a new password.
pub struct NewPasswordView {
    /// The form.
    pub form: Form,
    /// The rules for the new password.
    pub rules: PasswordRules,
    /// The user name.
    pub account: String,
}

impl NewPasswordView {
    /// The least number of characters, as texts count.
    pub(in crate::views) fn least(&self) -> i64 {
        i64::from(self.rules.least)
    }

    fn sample(is_admin: bool, fault: Option<PasswordFault>) -> Self {
        let problems: Vec<_> = fault.into_iter().map(Problem::NewPassword).collect();
        let (rules, account) = (PasswordRules::of(is_admin), "anna".to_owned());
        Self { form: samples::form(&problems), rules, account }
    }
}

impl View for NewPasswordView {
    fn step(&self) -> &'static str {
        "new_password"
    }

    fn title(&self) -> &'static str {
        "new_password.title"
    }

    fn form(&self) -> Option<&Form> {
        Some(&self.form)
    }

    fn scripts(&self) -> &'static [Asset] {
        &[Asset::PAGE]
    }

    fn samples() -> Vec<(&'static str, Self)> {
        use PasswordFault::{Different, Guessable, TooLong, TooShort, Unchanged};
        vec![
            ("new-password", Self::sample(false, None)),
            ("new-password-administrator", Self::sample(true, None)),
            ("new-password-short", Self::sample(true, Some(TooShort(12)))),
            ("new-password-long", Self::sample(false, Some(TooLong))),
            ("new-password-guessable", Self::sample(false, Some(Guessable))),
            ("new-password-unchanged", Self::sample(false, Some(Unchanged))),
            ("new-password-different", Self::sample(false, Some(Different))),
        ]
    }
}
