//! The pages that ask for a second factor.

use super::{form, sent};
use crate::domain::authenticator::PinPosition;
use crate::domain::message::Channel;
use crate::views::{
    Body, CodeSource, Field, PasskeyView, Problem, RecoveryView, ResyncView, SecondFactorView,
};

fn second_factor(problems: &[Problem]) -> Body {
    second_factor_from(CodeSource::Application, problems)
}

fn second_factor_from(source: CodeSource, problems: &[Problem]) -> Body {
    let (passkey, recovery) = (Some("passkey".to_owned()), Some("recovery".to_owned()));
    let (form, digits) = (form(problems), 6);
    Body::SecondFactor(SecondFactorView {
        form,
        source,
        digits,
        pin: None,
        trust: Some(30),
        resync: None,
        passkey,
        recovery,
    })
}

fn second_factor_with_pin(pin: PinPosition) -> Body {
    let resync = Some("resync".to_owned());
    let (form, source) = (form(&[Problem::CodeWrong]), CodeSource::Device);
    Body::SecondFactor(SecondFactorView {
        form,
        source,
        digits: 8,
        pin: Some(pin),
        trust: None,
        resync,
        passkey: None,
        recovery: None,
    })
}

fn resync(problems: &[Problem]) -> Body {
    Body::Resync(ResyncView { form: form(problems), second_factor: "second_factor".to_owned() })
}

fn passkey(code: bool, problems: &[Problem]) -> Body {
    Body::Passkey(PasskeyView {
        form: form(problems),
        options: r#"{"publicKey":{"challenge":"c2FtcGxl","rpId":"id.test","allowCredentials":[]}}"#
            .to_owned(),
        trust: code.then_some(30),
        code: code.then(|| "second_factor".to_owned()),
        recovery: Some("recovery".to_owned()),
    })
}

fn recovery(problems: &[Problem]) -> Body {
    Body::Recovery(RecoveryView { form: form(problems), second_factor: Some("second_factor".to_owned()) })
}

/// A name and a body for each of them.
pub(super) fn bodies() -> Vec<(&'static str, Body)> {
    use Problem::{
        CodeExpired, CodeNotSent, CodeWrong, CodesWrong, Missing, PasskeyMissing, PasskeyWrong,
        RecoveryCodeWrong,
    };
    vec![
        ("second-factor", second_factor(&[])),
        ("second-factor-wrong", second_factor(&[CodeWrong])),
        ("second-factor-sms", second_factor_from(CodeSource::Sent(sent(Channel::Sms, true, 47)), &[])),
        (
            "second-factor-mail",
            second_factor_from(CodeSource::Sent(sent(Channel::Mail, true, 0)), &[CodeExpired]),
        ),
        (
            "second-factor-not-sent",
            second_factor_from(CodeSource::Sent(sent(Channel::Sms, false, 0)), &[CodeNotSent]),
        ),
        ("second-factor-pin-before", second_factor_with_pin(PinPosition::Before)),
        ("second-factor-pin-after", second_factor_with_pin(PinPosition::After)),
        ("resync", resync(&[])),
        ("resync-wrong", resync(&[CodesWrong])),
        ("resync-missing", resync(&[Missing(Field::Code), Missing(Field::NextCode)])),
        ("passkey", passkey(true, &[])),
        ("passkey-wrong", passkey(false, &[PasskeyWrong])),
        ("passkey-missing", passkey(true, &[PasskeyMissing])),
        ("recovery", recovery(&[])),
        ("recovery-wrong", recovery(&[RecoveryCodeWrong])),
        ("recovery-missing", recovery(&[Missing(Field::RecoveryCode)])),
    ]
}
