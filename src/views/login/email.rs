//! The page that asks for the email address that codes go to. Posts `email`, or `another` to choose another method.

use super::duty::Duty;
use crate::views::form::{Field, Form, Problem};
use crate::views::samples;
use crate::views::view::View;

/// Asks for an email address.
pub struct EmailView {
    /// The form.
    pub form: Form,
    /// The reason.
    pub duty: Duty,
    /// The content of the field.
    pub address: String,
    /// Whether there is another method to choose.
    pub others: bool,
}

impl EmailView {
    fn sample(address: &str, problems: &[Problem]) -> Self {
        let address = address.to_owned();
        Self { form: samples::form(problems), duty: Duty::Chosen, address, others: false }
    }
}

impl View for EmailView {
    fn step(&self) -> &'static str {
        "email"
    }

    fn title(&self) -> &'static str {
        "email.title"
    }

    fn form(&self) -> Option<&Form> {
        Some(&self.form)
    }

    fn samples() -> Vec<(&'static str, Self)> {
        vec![
            ("email", Self::sample("anna@example.test", &[])),
            ("email-invalid", Self::sample("anna@", &[Problem::Invalid(Field::Email)])),
        ]
    }
}
