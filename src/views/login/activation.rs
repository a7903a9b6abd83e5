//! The page for a user whose second factor is activated by mail. Posts `enable`; if it is no duty yet, `skip` goes on
//! without.

use crate::views::form::Form;
use crate::views::samples;
use crate::views::view::View;

/// Offers to send the mail that leads to a second factor.
pub struct BlockedView {
    /// The form.
    pub form: Form,
    /// The destination of the mail, masked.
    pub address: String,
    /// Whether a mail is on its way.
    pub sent: bool,
    /// Whether the activation may be put off.
    pub optional: bool,
    /// This page again; it leads on once the second factor is active.
    pub onward: String,
}

impl BlockedView {
    fn sample(sent: bool, optional: bool) -> Self {
        let (address, onward) = ("a•••@example.works".to_owned(), "blocked".to_owned());
        Self { form: samples::form(&[]), address, sent, optional, onward }
    }
}

impl View for BlockedView {
    fn step(&self) -> &'static str {
        "blocked"
    }

    fn title(&self) -> &'static str {
        "blocked.title"
    }

    fn form(&self) -> Option<&Form> {
        Some(&self.form)
    }

    fn samples() -> Vec<(&'static str, Self)> {
        vec![
            ("blocked", Self::sample(false, false)),
            ("blocked-sent", Self::sample(true, false)),
            ("blocked-optional", Self::sample(false, true)),
        ]
    }
}
