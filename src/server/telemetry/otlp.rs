//! Spans over OTLP (protobuf in HTTP): the spans of the log with the same ids.
//!
//! Why not the exporter's own HTTP client: it would bypass `outbound`, and it runs in the exporter's thread without a
//! runtime. The exporter therefore gets our client. If the collector is unreachable, spans are lost and no request is
//! affected.

use std::pin::Pin;
use std::time::Duration;

use opentelemetry::trace::TracerProvider;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use tokio::runtime::Handle;
use tracing::level_filters::LevelFilter;
use tracing_opentelemetry::OpenTelemetryLayer;
use tracing_subscriber::filter::{Filtered, Targets};
use tracing_subscriber::layer::Layer;
use tracing_subscriber::registry::Registry;
use url::Url;

use crate::domain::outbound::{AllowedHost, Outbound as OutboundSettings};
use crate::outbound::Outbound;

/// The path for traces (OTLP 1.x, "OTLP/HTTP Request").
const PATH: &str = "/v1/traces";
/// Maximum size of a collector's response, in bytes.
const ANSWER_LIMIT: usize = 64 * 1024;
/// Time limit for the last spans at shutdown.
const PATIENCE: Duration = Duration::from_secs(2);

/// The collector's address.
#[derive(Debug)]
pub(crate) struct Collector {
    traces: Url,
    host: AllowedHost,
}

impl Collector {
    /// Parses the collector's address and appends the path for traces. The error text continues the name of the
    /// setting.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let problem = || "must be an address, for example http://127.0.0.1:4318".to_owned();
        let traces = Url::parse(&format!("{}{PATH}", text.trim_end_matches('/'))).map_err(|_| problem())?;
        let plain = matches!(traces.scheme(), "http" | "https") && traces.path() == PATH;
        let authority = Some(traces.authority()).filter(|_| plain && traces.query().is_none());
        let host = AllowedHost::parse(authority.unwrap_or_default()).map_err(|_| problem())?;
        Ok(Self { traces, host })
    }
}

/// Exports spans in batches.
pub(super) struct Exporter(SdkTracerProvider);

impl Exporter {
    pub(super) fn new(collector: &Collector, ca: &[String]) -> Result<Self, String> {
        let settings = OutboundSettings { ca: ca.to_vec(), allow: vec![collector.host.clone()] };
        let client = OtlpClient { outbound: Outbound::new(&settings)?, runtime: Handle::current() };
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(client)
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(collector.traces.as_str())
            .build()
            .map_err(|error| format!("otlp: {error}"))?;
        let resource = Resource::builder().with_service_name("vestibule").build();
        Ok(Self(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build()))
    }

    pub(super) fn layer(&self) -> Filtered<OpenTelemetryLayer<Registry, SdkTracer>, Targets, Registry> {
        let layer = tracing_opentelemetry::layer().with_tracer(self.0.tracer("vestibule"));
        // The HTTP client has spans and events of its own, which would cause further exports.
        layer.with_filter(Targets::new().with_target("vestibule", LevelFilter::INFO))
    }

    pub(super) async fn end(self) {
        let ended = tokio::task::spawn_blocking(move || self.0.shutdown_with_timeout(PATIENCE)).await;
        if !matches!(ended, Ok(Ok(()))) {
            tracing::warn!("cannot send the last spans to the collector");
        }
    }
}

/// Adapts our HTTP client to the exporter.
#[derive(Debug)]
struct OtlpClient {
    outbound: Outbound,
    runtime: Handle,
}

impl HttpClient for OtlpClient {
    fn send_bytes<'client, 'answer>(
        &'client self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'answer>>
    where
        'client: 'answer,
        Self: 'answer,
    {
        let outbound = self.outbound.clone();
        let sent = self
            .runtime
            .spawn(async move { outbound.send(request.map(|body| body.to_vec()), ANSWER_LIMIT).await });
        Box::pin(async move { Ok(sent.await??.map(Bytes::from)) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_collector_is_an_address_without_a_path() {
        for (text, traces) in [
            ("http://127.0.0.1:4318", "http://127.0.0.1:4318/v1/traces"),
            ("https://Collector.example/", "https://collector.example/v1/traces"),
            ("http://[::1]:4318", "http://[::1]:4318/v1/traces"),
        ] {
            let collector = Collector::parse(text).unwrap();
            assert_eq!(collector.traces.as_str(), traces);
            assert!(collector.host.covers(&collector.traces));
        }
        for text in [
            "",
            "collector:4318",
            "ftp://collector",
            "http://me@collector",
            "http://collector/v1",
            "http://collector?x",
            "http://collector#x",
        ] {
            assert!(Collector::parse(text).is_err(), "{text}");
        }
    }
}
