//! The page for a user whose upstream provider must vouch for a second factor, and has not (SEED1-5). Posts `again`,
//! which leads there once more.

use super::duty::Duty;
use crate::views::form::Form;
use crate::views::samples;
use crate::views::view::View;

/// Asks for a second factor that is proved upstream.
pub struct UpstreamProofView {
    /// The form.
    pub form: Form,
    /// The reason.
    pub duty: Duty,
    /// The title of the provider that the user signs in at.
    pub upstream: String,
    /// Whether the provider is a reseller's.
    pub is_resellers: bool,
    /// The page there that sets up a second factor.
    pub activation: Option<String>,
}

impl UpstreamProofView {
    /// The key of the reason.
    pub(in crate::views) const fn reason(&self) -> &'static str {
        match self.duty {
            Duty::Tenant => "upstream_proof.tenant",
            Duty::Application => "upstream_proof.application",
            Duty::Administrator | Duty::Replacement | Duty::Chosen => "upstream_proof.administrator",
        }
    }

    fn sample(duty: Duty, is_resellers: bool) -> Self {
        let activation = is_resellers.then(|| "https://portal.north.test/2fa".to_owned());
        let (form, upstream) = (samples::form(&[]), "North Systems account".to_owned());
        Self { form, duty, upstream, is_resellers, activation }
    }
}

impl View for UpstreamProofView {
    fn step(&self) -> &'static str {
        "upstream_proof"
    }

    fn title(&self) -> &'static str {
        "upstream_proof.title"
    }

    fn form(&self) -> Option<&Form> {
        Some(&self.form)
    }

    fn samples() -> Vec<(&'static str, Self)> {
        vec![
            ("upstream-proof", Self::sample(Duty::Administrator, true)),
            ("upstream-proof-tenant", Self::sample(Duty::Tenant, false)),
            ("upstream-proof-application", Self::sample(Duty::Application, true)),
        ]
    }
}
