//! Spans to a collector, from a binary that was built with the feature `otel`. In another one there is no value of
//! [`Collector`], so nothing outside this room asks for the feature.

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

/// Spans on their way, if they have one.
pub(crate) struct Telemetry(Option<Exporter>);

impl Telemetry {
    /// To this collector, which may be inside and whose certificate may be of one of these authorities (PEM). The
    /// problem names its setting.
    pub(crate) fn start(collector: Option<&Collector>, ca: &[String]) -> Result<Self, String> {
        collector.map(|collector| Exporter::new(collector, ca)).transpose().map(Self)
    }

    /// What hands the spans over, beside the log.
    pub(crate) fn layer(&self) -> Option<impl Layer<Registry> + Send + Sync + use<>> {
        self.0.as_ref().map(Exporter::layer)
    }

    /// Sends what is left.
    pub(crate) async fn end(self) {
        if let Some(exporter) = self.0 {
            exporter.end().await;
        }
    }
}
