//! The pages that ask the user to try again later.

use crate::domain::ids::Reference;
use crate::domain::time::Time;
use crate::i18n::machine;
use crate::views::assets::Asset;
use crate::views::samples;
use crate::views::view::View;

/// Says until when nothing is checked, after too many attempts.
pub struct WaitView {
    /// When the next attempt counts again.
    pub until: Time,
    /// The current time.
    pub now: Time,
    /// The page to try again at.
    pub retry: Option<String>,
    /// The reference code under which an administrator finds the page explained.
    pub reference: Option<Reference>,
}

impl WaitView {
    /// The minutes left, rounded up; at least one.
    pub fn minutes(&self) -> i64 {
        self.until.since(self.now).max(1).saturating_add(59) / 60
    }

    /// The value of `<time datetime>`.
    pub(in crate::views) fn machine_time(&self) -> String {
        machine(self.until)
    }

    fn sample(seconds: i64) -> Self {
        let now = samples::NOW;
        let until = Time::from_unix(now.unix() + seconds);
        Self { until, now, retry: Some("identify".to_owned()), reference: Some(samples::reference()) }
    }
}

impl View for WaitView {
    fn step(&self) -> &'static str {
        "wait"
    }

    fn title(&self) -> &'static str {
        "wait.title"
    }

    fn reference(&self) -> Option<&Reference> {
        self.reference.as_ref()
    }

    fn scripts(&self) -> &'static [Asset] {
        &[Asset::PAGE]
    }

    fn samples() -> Vec<(&'static str, Self)> {
        vec![("wait", Self::sample(290)), ("wait-one", Self::sample(1))]
    }
}

/// Asks to try again in a moment (503).
pub struct BusyView {
    /// The page to try again at.
    pub retry: Option<String>,
}

impl View for BusyView {
    fn step(&self) -> &'static str {
        "busy"
    }

    fn title(&self) -> &'static str {
        "busy.title"
    }

    fn samples() -> Vec<(&'static str, Self)> {
        vec![("busy", Self { retry: Some("identify".to_owned()) })]
    }
}
