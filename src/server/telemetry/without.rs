//! No collector can be named.

use std::future::Ready;

use tracing_subscriber::layer::Identity;

/// There is none.
#[derive(Debug)]
pub(crate) enum Collector {}

impl Collector {
    /// The problem reads on after the name of the setting.
    pub(crate) fn parse(_text: &str) -> Result<Self, String> {
        Err("this binary was built without the feature otel".to_owned())
    }
}

/// Nothing to send with.
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
