//! The page that announces the second-factor duty (SEED1-2). Posts `enable`, or `skip` to go on without.

use crate::domain::time::Time;
use crate::views::form::{Form, Problem};
use crate::views::samples;
use crate::views::view::View;

/// Announces the second-factor duty.
pub struct NoticeView {
    /// The form.
    pub form: Form,
    /// When the duty begins.
    pub from: Time,
    /// The upstream provider, for users who sign in there: nothing can be enabled here.
    pub upstream: Option<NoticeUpstream>,
}

/// The upstream provider at which a second factor is set up.
pub struct NoticeUpstream {
    /// The provider's title.
    pub title: String,
    /// The page there that sets up a second factor.
    pub activation: Option<String>,
}

impl NoticeView {
    fn sample(problems: &[Problem], upstream: Option<NoticeUpstream>) -> Self {
        Self { form: samples::form(problems), from: Time::from_unix(1_796_137_500), upstream }
    }

    fn upstream_sample(activation: Option<&str>) -> Self {
        let activation = activation.map(str::to_owned);
        Self::sample(&[], Some(NoticeUpstream { title: "North Systems account".to_owned(), activation }))
    }
}

impl View for NoticeView {
    fn step(&self) -> &'static str {
        "notice"
    }

    fn title(&self) -> &'static str {
        "notice.title"
    }

    fn form(&self) -> Option<&Form> {
        Some(&self.form)
    }

    fn samples() -> Vec<(&'static str, Self)> {
        vec![
            ("notice", Self::sample(&[Problem::Stale], None)),
            ("notice-upstream", Self::upstream_sample(Some("https://portal.north.test/2fa"))),
            ("notice-upstream-nowhere", Self::upstream_sample(None)),
        ]
    }
}
