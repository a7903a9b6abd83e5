//! The pages of a forgotten password; the one that asks for the new password is `new_password`.

use crate::domain::ids::Reference;
use crate::views::form::{Field, Form, Problem};
use crate::views::frame::WayBack;
use crate::views::samples;
use crate::views::view::View;

/// Asks whose password is forgotten. Posts `tenant`, `username`.
pub struct ForgottenView {
    /// The form.
    pub form: Form,
    /// The content of the tenant field; `None` if the tenant is fixed and there is no such field.
    pub tenant: Option<String>,
    /// The content of the name field.
    pub username: String,
}

impl ForgottenView {
    fn sample(tenant: Option<&str>, problems: &[Problem]) -> Self {
        let tenant = tenant.map(str::to_owned);
        Self { form: samples::form(problems), tenant, username: String::new() }
    }
}

impl View for ForgottenView {
    fn step(&self) -> &'static str {
        "forgotten"
    }

    fn title(&self) -> &'static str {
        "forgotten.title"
    }

    fn form(&self) -> Option<&Form> {
        Some(&self.form)
    }

    fn samples() -> Vec<(&'static str, Self)> {
        let missing = [Problem::Missing(Field::Tenant), Problem::Missing(Field::Account)];
        vec![
            ("forgotten", Self::sample(Some("example.works"), &[])),
            ("forgotten-fixed", Self::sample(None, &[])),
            ("forgotten-missing", Self::sample(Some(""), &missing)),
        ]
    }
}

/// Says that a mail was sent, if the account exists. The same for everybody.
pub struct ResetSentView {
    /// The way back to the login.
    pub login: Option<String>,
}

impl View for ResetSentView {
    fn step(&self) -> &'static str {
        "reset_sent"
    }

    fn title(&self) -> &'static str {
        "reset_sent.title"
    }

    fn samples() -> Vec<(&'static str, Self)> {
        vec![
            ("reset-sent", Self { login: Some("identify".to_owned()) }),
            ("reset-sent-alone", Self { login: None }),
        ]
    }
}

/// Says that the password is changed.
pub struct ResetDoneView {
    /// The login that waits in this browser.
    pub login: Option<String>,
    /// The application that the user wanted to go to, if no login waits.
    pub back: Option<WayBack>,
}

impl View for ResetDoneView {
    fn step(&self) -> &'static str {
        "reset_done"
    }

    fn title(&self) -> &'static str {
        "reset_done.title"
    }

    fn samples() -> Vec<(&'static str, Self)> {
        vec![
            ("reset-done", Self { login: Some("identify".to_owned()), back: None }),
            ("reset-done-elsewhere", Self { login: None, back: Some(samples::back()) }),
            ("reset-done-alone", Self { login: None, back: None }),
        ]
    }
}

/// Says that the link is not valid: expired, used, replaced or forged. One page for all.
pub struct ResetVoidView {
    /// The page to ask for another link at.
    pub again: Option<String>,
    /// The reference code under which an administrator finds the page explained.
    pub reference: Option<Reference>,
}

impl View for ResetVoidView {
    fn step(&self) -> &'static str {
        "reset_void"
    }

    fn title(&self) -> &'static str {
        "reset_void.title"
    }

    fn reference(&self) -> Option<&Reference> {
        self.reference.as_ref()
    }

    fn samples() -> Vec<(&'static str, Self)> {
        let sample = |again: Option<&str>| Self {
            again: again.map(str::to_owned),
            reference: Some(samples::reference()),
        };
        vec![("reset-void", sample(Some("/reset"))), ("reset-void-mailless", sample(None))]
    }
}
