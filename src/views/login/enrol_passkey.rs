//! The page that creates a passkey. Posts `credential`, which only a script can fill, or `another` to choose another
//! method.

use super::duty::Duty;
use crate::views::assets::Asset;
use crate::views::form::{Form, Problem};
use crate::views::samples;
use crate::views::view::View;

/// Creates a passkey.
pub struct EnrolPasskeyView {
    /// The form.
    pub form: Form,
    /// The reason.
    pub duty: Duty,
    /// The argument of `navigator.credentials.create`, its bytes in base64url.
    pub options: String,
    /// Whether there is another method to choose.
    pub others: bool,
}

impl EnrolPasskeyView {
    fn sample(duty: Duty, problems: &[Problem]) -> Self {
        let user = r#""user":{"id":"YW5uYQ","name":"anna@example.works","displayName":"Anna"}"#;
        let options =
            format!(r#"{{"publicKey":{{"challenge":"c2FtcGxl","rp":{{"name":"Example"}},{user}}}}}"#);
        Self { form: samples::form(problems), duty, options, others: duty == Duty::Tenant }
    }
}

impl View for EnrolPasskeyView {
    fn step(&self) -> &'static str {
        "enrol_passkey"
    }

    fn title(&self) -> &'static str {
        "enrol_passkey.title"
    }

    fn form(&self) -> Option<&Form> {
        Some(&self.form)
    }

    fn scripts(&self) -> &'static [Asset] {
        &[Asset::PASSKEY]
    }

    fn samples() -> Vec<(&'static str, Self)> {
        vec![
            ("enrol-passkey", Self::sample(Duty::Tenant, &[])),
            ("enrol-passkey-wrong", Self::sample(Duty::Chosen, &[Problem::WrongPasskey])),
        ]
    }
}
