//! The page that shows the recovery codes, once. Posts `stored=yes`.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use crate::i18n::Texts;
use crate::views::assets::Asset;
use crate::views::form::{Field, Form, Problem};
use crate::views::samples;
use crate::views::view::View;

/// Shows the recovery codes.
pub struct RecoveryCodesView {
    /// The form.
    pub form: Form,
    /// The codes as they are typed.
    pub codes: Vec<String>,
    /// The user name, for the file and the print.
    pub account: String,
}

impl RecoveryCodesView {
    /// The codes as a text file that never travels: a `data:` address works without script and under the policy.
    pub(in crate::views) fn download(&self, l: &Texts) -> String {
        let of = l.with("recovery_codes.of", &[("account", &self.account)]);
        let file = format!("{of}\r\n\r\n{}\r\n", self.codes.join("\r\n"));
        // Soft hyphens are for lines that break.
        format!("data:text/plain;charset=utf-8;base64,{}", BASE64_STANDARD.encode(file.replace('\u{ad}', "")))
    }

    fn sample(problems: &[Problem]) -> Self {
        let codes = (0..10).map(|n| format!("{n}K7QF-2MPX{n}")).collect();
        Self { form: samples::form(problems), codes, account: "anna".to_owned() }
    }
}

impl View for RecoveryCodesView {
    fn step(&self) -> &'static str {
        "recovery_codes"
    }

    fn title(&self) -> &'static str {
        "recovery_codes.title"
    }

    fn form(&self) -> Option<&Form> {
        Some(&self.form)
    }

    fn scripts(&self) -> &'static [Asset] {
        &[Asset::PAGE]
    }

    fn samples() -> Vec<(&'static str, Self)> {
        vec![
            ("recovery-codes", Self::sample(&[])),
            ("recovery-codes-missing", Self::sample(&[Problem::Missing(Field::Stored)])),
        ]
    }
}
