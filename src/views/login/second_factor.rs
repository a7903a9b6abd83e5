//! The page that asks for the code of the second factor. Posts `code`, or `resend` if it was sent. It gives no hint who
//! the user is (SEED1-18).

use super::code_source::{CodeSource, SentCode};
use crate::domain::authenticator::PinPosition;
use crate::domain::message::Channel;
use crate::i18n::Texts;
use crate::views::assets::Asset;
use crate::views::form::{Form, Problem};
use crate::views::samples;
use crate::views::view::View;

/// Asks for a code.
pub struct SecondFactorView {
    /// The form.
    pub form: Form,
    /// The source of the code.
    pub source: CodeSource,
    /// For how many days this browser may be trusted (`trust_browser`); `None` if that is not offered.
    pub trust: Option<u32>,
    /// The number of digits.
    pub digits: u32,
    /// The side of the code on which a PIN is typed, if there is one.
    pub pin: Option<PinPosition>,
    /// The page that resynchronises a device; `None` if that is not offered.
    pub resync: Option<String>,
    /// The page that accepts a passkey instead; `None` if the user has none.
    pub passkey: Option<String>,
    /// The page that accepts a recovery code instead; `None` if none is left.
    pub recovery: Option<String>,
}

impl SecondFactorView {
    /// The hint for the code and for the PIN that goes with it.
    pub(in crate::views) fn hint(&self, l: &Texts) -> String {
        let code = self.source.hint(l, self.digits);
        match self.pin {
            None => code,
            Some(PinPosition::Before) => format!("{code}. {}", l.t("code.pin_before")),
            Some(PinPosition::After) => format!("{code}. {}", l.t("code.pin_after")),
        }
    }

    fn sample(source: CodeSource, problems: &[Problem]) -> Self {
        Self {
            form: samples::form(problems),
            source,
            trust: Some(30),
            digits: 6,
            pin: None,
            resync: None,
            passkey: Some("passkey".to_owned()),
            recovery: Some("recovery".to_owned()),
        }
    }

    fn pin_sample(pin: PinPosition) -> Self {
        Self {
            form: samples::form(&[Problem::WrongCode]),
            source: CodeSource::Device,
            trust: None,
            digits: 8,
            pin: Some(pin),
            resync: Some("resync".to_owned()),
            passkey: None,
            recovery: None,
        }
    }
}

impl View for SecondFactorView {
    fn step(&self) -> &'static str {
        "second_factor"
    }

    fn title(&self) -> &'static str {
        "second_factor.title"
    }

    fn form(&self) -> Option<&Form> {
        Some(&self.form)
    }

    fn scripts(&self) -> &'static [Asset] {
        let counts_down = matches!(self.source, CodeSource::Sent(_));
        if counts_down || self.trust.is_some() { &[Asset::PAGE] } else { &[] }
    }

    fn samples() -> Vec<(&'static str, Self)> {
        use Problem::{CodeExpired, CodeNotSent, WrongCode};
        let sent = |channel, is_out, wait| CodeSource::Sent(SentCode::sample(channel, is_out, wait));
        vec![
            ("second-factor", Self::sample(CodeSource::Application, &[])),
            ("second-factor-wrong", Self::sample(CodeSource::Application, &[WrongCode])),
            ("second-factor-sms", Self::sample(sent(Channel::Sms, true, 47), &[])),
            ("second-factor-mail", Self::sample(sent(Channel::Mail, true, 0), &[CodeExpired])),
            ("second-factor-not-sent", Self::sample(sent(Channel::Sms, false, 0), &[CodeNotSent])),
            ("second-factor-pin-before", Self::pin_sample(PinPosition::Before)),
            ("second-factor-pin-after", Self::pin_sample(PinPosition::After)),
        ]
    }
}
