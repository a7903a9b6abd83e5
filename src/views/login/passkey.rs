//! The page that asks for a passkey or security key as the second factor. Posts `credential`; only a script can fill that.

use crate::views::assets::Asset;
use crate::views::form::{Form, Problem};
use crate::views::samples;
use crate::views::view::View;

/// Asks for a passkey.
pub struct PasskeyView {
    /// The form.
    pub form: Form,
    /// The argument of `navigator.credentials.get`, its bytes in base64url.
    pub options: String,
    /// For how many days this browser may be trusted (`trust_browser`); `None` if that is not offered.
    pub trust: Option<u32>,
    /// The page that accepts a code instead; `None` if the user has nothing that makes or receives codes.
    pub code: Option<String>,
    /// The page that accepts a recovery code instead; `None` if none is left.
    pub recovery: Option<String>,
}

impl PasskeyView {
    fn sample(code: bool, problems: &[Problem]) -> Self {
        Self {
            form: samples::form(problems),
            options: r#"{"publicKey":{"challenge":"c2FtcGxl","rpId":"id.test","allowCredentials":[]}}"#
                .to_owned(),
            trust: code.then_some(30),
            code: code.then(|| "second_factor".to_owned()),
            recovery: Some("recovery".to_owned()),
        }
    }
}

impl View for PasskeyView {
    fn step(&self) -> &'static str {
        "passkey"
    }

    fn title(&self) -> &'static str {
        "second_factor.title"
    }

    fn form(&self) -> Option<&Form> {
        Some(&self.form)
    }

    fn scripts(&self) -> &'static [Asset] {
        &[Asset::PASSKEY]
    }

    fn samples() -> Vec<(&'static str, Self)> {
        vec![
            ("passkey", Self::sample(true, &[])),
            ("passkey-wrong", Self::sample(false, &[Problem::WrongPasskey])),
            ("passkey-missing", Self::sample(true, &[Problem::NoPasskey])),
        ]
    }
}
