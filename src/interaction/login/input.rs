//! The last input of the fields for names and addresses, so that it need not be typed again after a mistake.
//!
//! Users type passwords into the wrong field, so it is sealed under the master key while the login waits, and dropped as
//! soon as the first factor is proved.

use zeroize::Zeroizing;

use super::Login;
use crate::domain::interaction::FormInput;

impl Login {
    /// What was typed last.
    pub(in crate::interaction) fn input(&self) -> FormInput {
        let sealed = self.interaction.progress.form_input.as_ref();
        let plain = sealed.and_then(|sealed| self.idp().sealer().open(sealed, &self.input_row()).ok());
        plain.and_then(|plain| serde_json::from_slice(&plain).ok()).unwrap_or_default()
    }

    /// Changes what is kept. If it cannot be sealed, nothing is kept.
    pub(in crate::interaction) fn keep_input(&mut self, change: impl FnOnce(&mut FormInput)) {
        let mut input = self.input();
        change(&mut input);
        let kept = Some(input).filter(|input| *input != FormInput::default());
        let plain = kept.and_then(|input| serde_json::to_vec(&input).ok()).map(Zeroizing::new);
        let sealed = plain.and_then(|plain| self.idp().sealer().seal(&plain, &self.input_row()).ok());
        self.interaction.progress.form_input = sealed;
    }

    /// Keeps what was typed at the sign-in, so that only the password is typed again.
    pub(in crate::interaction) fn keep_names(&mut self, tenant: &str, username: &str) {
        let (tenant, username) = (tenant.to_owned(), username.to_owned());
        self.keep_input(|input| *input = FormInput { tenant, username, ..FormInput::default() });
    }

    /// The row that it is sealed for.
    fn input_row(&self) -> String {
        format!("interactions/{}/input", self.interaction.id)
    }
}
