//! The page that asks whether to go on with the account that is signed in. Posts `account=this` or `account=other`.

use crate::views::form::Form;
use crate::views::frame::ApplicationInfo;
use crate::views::samples;
use crate::views::view::View;

/// Asks which account to use.
pub struct ChooseAccountView {
    /// The form.
    pub form: Form,
    /// The application that asks.
    pub application: ApplicationInfo,
    /// The user name that is signed in.
    pub account: String,
    /// The user's full name, if the profile has one.
    pub name: Option<String>,
}

impl ChooseAccountView {
    fn sample(name: Option<&str>) -> Self {
        Self {
            form: samples::form(&[]),
            application: samples::application(),
            account: "anna".to_owned(),
            name: name.map(str::to_owned),
        }
    }
}

impl View for ChooseAccountView {
    fn step(&self) -> &'static str {
        "choose_account"
    }

    fn title(&self) -> &'static str {
        "choose_account.title"
    }

    fn form(&self) -> Option<&Form> {
        Some(&self.form)
    }

    fn samples() -> Vec<(&'static str, Self)> {
        vec![
            ("choose-account", Self::sample(Some("Anna Keller"))),
            ("choose-account-nameless", Self::sample(None)),
        ]
    }
}
