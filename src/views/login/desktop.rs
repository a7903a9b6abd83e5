//! The page that asks for the name of the office computer, once in a new enrolment. Posts `personal_desktop`, or `skip`.

use crate::views::form::{Field, Form, Problem};
use crate::views::samples;
use crate::views::view::View;

/// Asks for the name of the office computer.
pub struct DesktopView {
    /// The form.
    pub form: Form,
    /// The content of the field.
    pub name: String,
}

impl DesktopView {
    fn sample(name: &str, problems: &[Problem]) -> Self {
        Self { form: samples::form(problems), name: name.to_owned() }
    }
}

impl View for DesktopView {
    fn step(&self) -> &'static str {
        "desktop"
    }

    fn title(&self) -> &'static str {
        "desktop.title"
    }

    fn form(&self) -> Option<&Form> {
        Some(&self.form)
    }

    fn samples() -> Vec<(&'static str, Self)> {
        vec![
            ("desktop", Self::sample("pc-anna", &[])),
            ("desktop-invalid", Self::sample("my computer!", &[Problem::Invalid(Field::PersonalDesktop)])),
        ]
    }
}
