//! Stand-in for a binary without the feature `otel`: no collector can be configured.

use std::future::Ready;

use tracing_subscriber::layer::Identity;

/// Has no values.
#[derive(Debug)]
pub(crate) enum Collector {}

impl Collector {
    /// Always fails. The error text continues the name of the setting.
    pub(crate) fn parse(_text: &str) -> Result<Self, String> {
        Err("this binary was built without the feature otel".to_owned())
    }
}

/// Has no values.
pub(super) enum Exporter {}

impl Exporter {
    pub(super) fn new(collector: &Collector, _ca: &[String]) -> Result<Self, String> {
        match *collector {}
    }

    pub(super) fn layer(&self) -> Identity {
        match *self {}
    }

    pub(super) fn end(self) -> Ready<()> {
        match self {}
    }
}
