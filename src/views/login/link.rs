//! The page for a user who is signed in upstream and linked with no account. Posts `code`, an invitation to link one.
//! It does not say whether anybody is invited.

use crate::views::form::{Form, Problem};
use crate::views::samples;
use crate::views::view::View;

/// Asks for an invitation code.
pub struct LinkView {
    /// The form.
    pub form: Form,
    /// The title of the provider that the user is signed in at.
    pub upstream: String,
    /// The way back to the first page.
    pub identify: String,
}

impl LinkView {
    fn sample(problems: &[Problem]) -> Self {
        Self {
            form: Form { reference: Some(samples::reference()), ..samples::form(problems) },
            upstream: "North Systems account".to_owned(),
            identify: "identify".to_owned(),
        }
    }
}

impl View for LinkView {
    fn step(&self) -> &'static str {
        "link"
    }

    fn title(&self) -> &'static str {
        "link.title"
    }

    fn form(&self) -> Option<&Form> {
        Some(&self.form)
    }

    fn samples() -> Vec<(&'static str, Self)> {
        vec![("link", Self::sample(&[])), ("link-wrong", Self::sample(&[Problem::WrongInvitation]))]
    }
}
