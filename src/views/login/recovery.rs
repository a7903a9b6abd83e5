//! The page that asks for a recovery code instead of the authenticator. Posts `code`.

use crate::views::form::{Field, Form, Problem};
use crate::views::samples;
use crate::views::view::View;

/// Asks for a recovery code.
pub struct RecoveryView {
    /// The form.
    pub form: Form,
    /// The way back to the authenticator; `None` if the user has none that can be used here.
    pub second_factor: Option<String>,
}

impl RecoveryView {
    fn sample(problems: &[Problem]) -> Self {
        Self { form: samples::form(problems), second_factor: Some("second_factor".to_owned()) }
    }
}

impl View for RecoveryView {
    fn step(&self) -> &'static str {
        "recovery"
    }

    fn title(&self) -> &'static str {
        "recovery.title"
    }

    fn form(&self) -> Option<&Form> {
        Some(&self.form)
    }

    fn samples() -> Vec<(&'static str, Self)> {
        vec![
            ("recovery", Self::sample(&[])),
            ("recovery-wrong", Self::sample(&[Problem::WrongRecoveryCode])),
            ("recovery-missing", Self::sample(&[Problem::Missing(Field::RecoveryCode)])),
        ]
    }
}
