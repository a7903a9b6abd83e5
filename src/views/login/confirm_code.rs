//! The page that asks for the first code sent to a new number or address. Posts `code`; or `resend`, `change` to give
//! another destination, `another` to choose another method.

use super::code_source::SentCode;
use super::duty::Duty;
use crate::domain::message::Channel;
use crate::views::assets::Asset;
use crate::views::form::{Form, Problem};
use crate::views::samples;
use crate::views::view::View;

/// Asks for the first code.
pub struct ConfirmCodeView {
    /// The form.
    pub form: Form,
    /// The reason.
    pub duty: Duty,
    /// The code.
    pub sent: SentCode,
    /// Whether there is another method to choose.
    pub others: bool,
}

impl ConfirmCodeView {
    /// The key of the offer to give another destination.
    pub(in crate::views) const fn change(&self) -> &'static str {
        match self.sent.channel {
            Channel::Sms => "confirm_code.change_number",
            Channel::Mail => "confirm_code.change_address",
        }
    }

    fn sample(sent: SentCode, problems: &[Problem]) -> Self {
        Self { form: samples::form(problems), duty: Duty::Tenant, sent, others: true }
    }
}

impl View for ConfirmCodeView {
    fn step(&self) -> &'static str {
        "confirm_code"
    }

    fn title(&self) -> &'static str {
        "confirm_code.title"
    }

    fn form(&self) -> Option<&Form> {
        Some(&self.form)
    }

    fn scripts(&self) -> &'static [Asset] {
        &[Asset::PAGE]
    }

    fn samples() -> Vec<(&'static str, Self)> {
        use Problem::{TooManyCodes, WrongCode};
        let sent = SentCode::sample;
        vec![
            ("confirm-code", Self::sample(sent(Channel::Sms, true, 60), &[])),
            ("confirm-code-wrong", Self::sample(sent(Channel::Mail, true, 0), &[WrongCode])),
            ("confirm-code-held", Self::sample(sent(Channel::Mail, false, 1800), &[TooManyCodes])),
        ]
    }
}
