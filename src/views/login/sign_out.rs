//! The pages of sign-out.

use crate::views::form::Form;
use crate::views::frame::{ApplicationInfo, WayBack};
use crate::views::samples;
use crate::views::view::View;

/// Asks whether to sign out. Posts `confirm`, or `cancel` to stay.
pub struct ConfirmSignOutView {
    /// The form.
    pub form: Form,
    /// The user name that is signed in.
    pub account: String,
    /// The application that sent the user here, if it is known.
    pub application: Option<ApplicationInfo>,
}

impl ConfirmSignOutView {
    fn sample(application: Option<ApplicationInfo>) -> Self {
        Self { form: samples::form(&[]), account: "anna".to_owned(), application }
    }
}

impl View for ConfirmSignOutView {
    fn step(&self) -> &'static str {
        "confirm_sign_out"
    }

    fn title(&self) -> &'static str {
        "confirm_sign_out.title"
    }

    fn form(&self) -> Option<&Form> {
        Some(&self.form)
    }

    fn samples() -> Vec<(&'static str, Self)> {
        vec![
            ("confirm-sign-out", Self::sample(None)),
            ("confirm-sign-out-asked", Self::sample(Some(samples::application()))),
        ]
    }
}

/// Says that the user is still signed in.
pub struct SignedInView {
    /// The user name that is signed in.
    pub account: String,
}

impl View for SignedInView {
    fn step(&self) -> &'static str {
        "signed_in"
    }

    fn title(&self) -> &'static str {
        "signed_in.title"
    }

    fn samples() -> Vec<(&'static str, Self)> {
        vec![("signed-in", Self { account: "anna".to_owned() })]
    }
}

/// Says that the user is signed out.
pub struct SignedOutView {
    /// The way back to the application.
    pub back: Option<WayBack>,
}

impl View for SignedOutView {
    fn step(&self) -> &'static str {
        "signed_out"
    }

    fn title(&self) -> &'static str {
        "signed_out.title"
    }

    fn samples() -> Vec<(&'static str, Self)> {
        vec![("signed-out", Self { back: Some(samples::back()) })]
    }
}
