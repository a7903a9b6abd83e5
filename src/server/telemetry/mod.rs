//! Sends spans to a collector if the binary was built with the feature `otel`. Without the feature [`Collector`] has no
//! values, so other modules need no `cfg`.

#[cfg(feature = "otel")]
mod otlp;
#[cfg(not(feature = "otel"))]
mod without;

use tracing_subscriber::layer::Layer;
use tracing_subscriber::registry::Registry;

#[cfg(feature = "otel")]
pub(crate) use self::otlp::Collector;
#[cfg(feature = "otel")]
use self::otlp::Exporter;
#[cfg(not(feature = "otel"))]
pub(crate) use self::without::Collector;
#[cfg(not(feature = "otel"))]
use self::without::Exporter;

/// The span exporter, if a collector is configured.
pub(crate) struct Telemetry(Option<Exporter>);

impl Telemetry {
    /// Creates an exporter for this collector, which may have an internal address and a certificate of one of these
    /// authorities (PEM). The error names its setting.
    pub(crate) fn start(collector: Option<&Collector>, ca: &[String]) -> Result<Self, String> {
        collector.map(|collector| Exporter::new(collector, ca)).transpose().map(Self)
    }

    /// The tracing layer that exports spans, used beside the log.
    pub(crate) fn layer(&self) -> Option<impl Layer<Registry> + Send + Sync + use<>> {
        self.0.as_ref().map(Exporter::layer)
    }

    /// Sends the remaining spans.
    pub(crate) async fn end(self) {
        if let Some(exporter) = self.0 {
            exporter.end().await;
        }
    }
}
