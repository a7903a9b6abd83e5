//! The page that asks which second factor to enrol. Posts `method`; if the enrolment was the user's wish, `skip` goes on
//! without.

use super::duty::Duty;
use crate::domain::authenticator::Method;
use crate::views::form::{Field, Form, Problem};
use crate::views::samples;
use crate::views::view::View;

/// Asks for a method.
pub struct ChooseMethodView {
    /// The form.
    pub form: Form,
    /// The reason.
    pub duty: Duty,
    /// The methods to choose from.
    pub methods: Vec<Method>,
}

impl ChooseMethodView {
    /// Each method's word, and the keys of its name and of its hint.
    pub(in crate::views) fn choices(
        &self,
    ) -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
        self.methods.iter().map(|method| match method {
            Method::Totp => ("totp", "choose_method.totp", "choose_method.totp_hint"),
            Method::Sms => ("sms", "choose_method.sms", "choose_method.sms_hint"),
            Method::Mail => ("mail", "choose_method.mail", "choose_method.mail_hint"),
            Method::Passkey => ("passkey", "choose_method.passkey", "choose_method.passkey_hint"),
        })
    }

    fn sample(duty: Duty, problems: &[Problem]) -> Self {
        let methods = vec![Method::Totp, Method::Sms, Method::Mail, Method::Passkey];
        Self { form: samples::form(problems), duty, methods }
    }
}

impl View for ChooseMethodView {
    fn step(&self) -> &'static str {
        "choose_method"
    }

    fn title(&self) -> &'static str {
        "choose_method.title"
    }

    fn form(&self) -> Option<&Form> {
        Some(&self.form)
    }

    fn samples() -> Vec<(&'static str, Self)> {
        vec![
            ("choose-method", Self::sample(Duty::Tenant, &[])),
            ("choose-method-missing", Self::sample(Duty::Chosen, &[Problem::Missing(Field::Method)])),
        ]
    }
}
