//! The page that shows the secret of a new authenticator. Posts `code`, or `another` to choose another method.

use super::duty::Duty;
use crate::views::assets::Asset;
use crate::views::form::{Field, Form, Problem};
use crate::views::samples;
use crate::views::view::View;

/// Shows a secret as QR code and text, and asks for the first code.
pub struct EnrolView {
    /// The form.
    pub form: Form,
    /// The reason.
    pub duty: Duty,
    /// The `otpauth:` address: link and QR code.
    pub uri: String,
    /// The secret in groups of four.
    pub secret: Vec<String>,
    /// The user's name, as the authenticator will show it.
    pub account: String,
    /// Whether there is another method to choose.
    pub others: bool,
}

impl EnrolView {
    fn sample(duty: Duty, problems: &[Problem]) -> Self {
        let secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";
        Self {
            form: samples::form(problems),
            duty,
            uri: format!("otpauth://totp/Example%20Works:anna?secret={secret}&issuer=Example%20Works"),
            secret: ["JBSW", "Y3DP", "EHPK", "3PXP"].repeat(2).into_iter().map(str::to_owned).collect(),
            account: "anna@example.works".to_owned(),
            others: duty == Duty::Tenant,
        }
    }
}

impl View for EnrolView {
    fn step(&self) -> &'static str {
        "enrol"
    }

    fn title(&self) -> &'static str {
        "enrol.title"
    }

    fn form(&self) -> Option<&Form> {
        Some(&self.form)
    }

    fn scripts(&self) -> &'static [Asset] {
        &[Asset::PAGE]
    }

    fn samples() -> Vec<(&'static str, Self)> {
        vec![
            ("enrol", Self::sample(Duty::Administrator, &[])),
            ("enrol-tenant", Self::sample(Duty::Tenant, &[Problem::EnrolmentVoid])),
            ("enrol-application", Self::sample(Duty::Application, &[])),
            ("enrol-replacement", Self::sample(Duty::Replacement, &[])),
            ("enrol-chosen", Self::sample(Duty::Chosen, &[Problem::Missing(Field::Code)])),
        ]
    }
}
