//! The page that resynchronises a device whose clock or counter has drifted. Posts `code` and `next_code`, shown one
//! directly after the other.

use crate::views::form::{Field, Form, Problem};
use crate::views::samples;
use crate::views::view::View;

/// Asks for two codes of a device.
pub struct ResyncView {
    /// The form.
    pub form: Form,
    /// The way back to the page that asks for one code.
    pub second_factor: String,
}

impl ResyncView {
    fn sample(problems: &[Problem]) -> Self {
        Self { form: samples::form(problems), second_factor: "second_factor".to_owned() }
    }
}

impl View for ResyncView {
    fn step(&self) -> &'static str {
        "resync"
    }

    fn title(&self) -> &'static str {
        "resync.title"
    }

    fn form(&self) -> Option<&Form> {
        Some(&self.form)
    }

    fn samples() -> Vec<(&'static str, Self)> {
        use Problem::{Missing, WrongCodes};
        vec![
            ("resync", Self::sample(&[])),
            ("resync-wrong", Self::sample(&[WrongCodes])),
            ("resync-missing", Self::sample(&[Missing(Field::Code), Missing(Field::NextCode)])),
        ]
    }
}
