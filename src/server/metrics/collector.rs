//! Encodes a provider's metrics for Prometheus. Names follow its conventions: `vestibule_`, base units, `_total`.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use tokio::time::timeout;

use super::process;
use crate::domain::histogram::Readings;
use crate::domain::message::Channel;
use crate::domain::time::Time;
use crate::provider::{HashLoad, Idp, ResponseCount};
use crate::server::listen::{ConnectionLimit, SeatFigures};
use crate::storage::{PoolMetrics, WriterMetrics};

/// The metrics of a provider and its process.
#[derive(Clone)]
pub(super) struct MetricsCollector {
    idp: Idp,
    seats: ConnectionLimit,
    started_at: Time,
    /// Waiting messages by channel; without a channel whose count timed out.
    waiting: Vec<(Channel, u64)>,
}

impl MetricsCollector {
    /// Creates the collector at the start of the process.
    pub(super) fn new(idp: Idp, seats: ConnectionLimit) -> Self {
        let started_at = idp.now();
        Self { idp, seats, started_at, waiting: Vec::new() }
    }

    /// Adds the metrics that need a query, within this time limit.
    pub(super) async fn scraped(mut self, patience: Duration) -> Self {
        for channel in Channel::ALL {
            if let Ok(Ok(waiting)) = timeout(patience, self.idp.messages_waiting(channel)).await {
                self.waiting.push((channel, waiting));
            }
        }
        self
    }
}

impl fmt::Debug for MetricsCollector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("House(..)")
    }
}

impl Collector for MetricsCollector {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let figures = self.idp.figures();
        let mut sheet = MetricEncoder(encoder);
        requests(&mut sheet, &figures.answers, &figures.times)?;
        words(&mut sheet, "vestibule_logins", "Logins by outcome.", "outcome", &figures.logins)?;
        words(&mut sheet, "vestibule_events", "Security events.", "event", &figures.events)?;
        messages(&mut sheet, &self.waiting, &figures.messages)?;
        connections(&mut sheet, self.seats.figures())?;
        hashes(&mut sheet, figures.hashes)?;
        pool(&mut sheet, figures.store.pool)?;
        sheet.counter(
            "vestibule_db_statements",
            "Statements, without BEGIN and COMMIT.",
            figures.store.statements,
        )?;
        sheet.counter("vestibule_db_writes", "Write closures accepted.", figures.store.writes)?;
        if let Some(figures) = &figures.store.writer {
            writer(&mut sheet, figures)?;
        }
        self.process(&mut sheet)
    }
}

impl MetricsCollector {
    fn process(&self, sheet: &mut MetricEncoder<'_>) -> fmt::Result {
        let build = [("version", env!("CARGO_PKG_VERSION"))];
        sheet.gauges("vestibule_build_info", "The running version.", [(&build[..], 1)])?;
        sheet.gauge(
            "process_start_time_seconds",
            "Start time, in seconds since 1970.",
            self.started_at.unix(),
        )?;
        if let Some(bytes) = process::resident_bytes() {
            sheet.gauge("process_resident_memory_bytes", "Resident memory.", bytes)?;
        }
        if let Some(open) = process::open_files() {
            sheet.gauge("process_open_fds", "Open file descriptors.", open)?;
        }
        Ok(())
    }
}

fn requests(
    sheet: &mut MetricEncoder<'_>,
    answers: &[ResponseCount],
    times: &[(String, Readings)],
) -> fmt::Result {
    let labels: Vec<_> = answers
        .iter()
        .map(|answers| {
            let ResponseCount { route, method, status, count } = answers;
            ([("route", route.as_str()), ("method", method), ("status", status)], *count)
        })
        .collect();
    let rows = labels.iter().map(|(labels, count)| (&labels[..], *count));
    sheet.counters("vestibule_http_requests", "Requests by route, method and class of status.", rows)?;
    let labels: Vec<_> =
        times.iter().map(|(route, readings)| ([("route", route.as_str())], readings)).collect();
    let rows = labels.iter().map(|(labels, readings)| (&labels[..], *readings));
    sheet.histograms("vestibule_http_request_duration_seconds", "Response times by route.", MICRO, rows)
}

fn words(
    sheet: &mut MetricEncoder<'_>,
    name: &str,
    help: &str,
    label: &str,
    counts: &BTreeMap<&'static str, u64>,
) -> fmt::Result {
    let labels: Vec<_> = counts.iter().map(|(word, count)| ([(label, *word)], *count)).collect();
    sheet.counters(name, help, labels.iter().map(|(labels, count)| (&labels[..], *count)))
}

fn messages(
    sheet: &mut MetricEncoder<'_>,
    waiting: &[(Channel, u64)],
    outcomes: &BTreeMap<(Channel, &'static str), u64>,
) -> fmt::Result {
    let labels: Vec<_> =
        waiting.iter().map(|(channel, count)| ([("channel", channel.name())], *count)).collect();
    let rows = labels.iter().map(|(labels, count)| (&labels[..], i64::try_from(*count).unwrap_or(i64::MAX)));
    sheet.gauges("vestibule_outbox_waiting", "Messages that wait to be sent by any node.", rows)?;
    let labels: Vec<_> = outcomes
        .iter()
        .map(|((channel, outcome), count)| ([("channel", channel.name()), ("outcome", *outcome)], *count))
        .collect();
    let rows = labels.iter().map(|(labels, count)| (&labels[..], *count));
    sheet.counters("vestibule_messages", "Tries to send a message, by outcome.", rows)
}

fn connections(sheet: &mut MetricEncoder<'_>, seats: SeatFigures) -> fmt::Result {
    let SeatFigures { taken, refused } = seats;
    sheet.gauge("vestibule_connections", "Open connections.", whole(taken))?;
    sheet.counter("vestibule_connections_refused", "Connections refused because of the limit.", refused)
}

fn hashes(sheet: &mut MetricEncoder<'_>, load: HashLoad) -> fmt::Result {
    let HashLoad { running, waiting, refused } = load;
    sheet.gauge("vestibule_password_hashes_running", "Running password hashes.", whole(running))?;
    sheet.gauge(
        "vestibule_password_hashes_waiting",
        "Password hashes that wait for a thread.",
        whole(waiting),
    )?;
    sheet.counter("vestibule_password_hashes_refused", "Password hashes refused by a full queue.", refused)
}

fn pool(sheet: &mut MetricEncoder<'_>, pool: PoolMetrics) -> fmt::Result {
    let PoolMetrics { most, in_use, waits, refused } = pool;
    sheet.gauge("vestibule_db_connections_max", "Maximum number of connections.", whole(most))?;
    sheet.gauge("vestibule_db_connections_in_use", "Connections in use.", whole(in_use))?;
    sheet.counter("vestibule_db_connection_waits", "Waits for a free connection.", waits)?;
    sheet.counter("vestibule_db_connection_refusals", "Waits for a connection that timed out.", refused)
}

fn writer(sheet: &mut MetricEncoder<'_>, writer: &WriterMetrics) -> fmt::Result {
    let WriterMetrics { waiting, commits } = writer;
    sheet.gauge("vestibule_db_writer_waiting", "Closures that wait for the writer.", whole(*waiting))?;
    let rows = [(&[][..], commits)];
    sheet.histograms("vestibule_db_commit_closures", "Closures per commit.", 1.0, rows)
}

fn whole(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Microseconds per second.
const MICRO: f64 = 1e6;

type Labels<'a> = &'a [(&'a str, &'a str)];

/// Writes metrics to a scrape's response.
struct MetricEncoder<'a>(DescriptorEncoder<'a>);

impl MetricEncoder<'_> {
    fn counter(&mut self, name: &str, help: &str, value: u64) -> fmt::Result {
        let mut metric = self.0.encode_descriptor(name, help, None, MetricType::Counter)?;
        metric.encode_counter::<NoLabelSet, _, u64>(&value, None)
    }

    fn counters<'l>(
        &mut self,
        name: &str,
        help: &str,
        rows: impl IntoIterator<Item = (Labels<'l>, u64)>,
    ) -> fmt::Result {
        let mut metric = self.0.encode_descriptor(name, help, None, MetricType::Counter)?;
        for (labels, value) in rows {
            metric.encode_family(&labels)?.encode_counter::<NoLabelSet, _, u64>(&value, None)?;
        }
        Ok(())
    }

    fn gauge(&mut self, name: &str, help: &str, value: i64) -> fmt::Result {
        self.0.encode_descriptor(name, help, None, MetricType::Gauge)?.encode_gauge(&value)
    }

    fn gauges<'l>(
        &mut self,
        name: &str,
        help: &str,
        rows: impl IntoIterator<Item = (Labels<'l>, i64)>,
    ) -> fmt::Result {
        let mut metric = self.0.encode_descriptor(name, help, None, MetricType::Gauge)?;
        for (labels, value) in rows {
            metric.encode_family(&labels)?.encode_gauge(&value)?;
        }
        Ok(())
    }

    /// `unit`: counted units per exposed unit.
    #[expect(clippy::cast_precision_loss, reason = "figures are no accounts")]
    fn histograms<'r, 'l>(
        &mut self,
        name: &str,
        help: &str,
        unit: f64,
        rows: impl IntoIterator<Item = (Labels<'l>, &'r Readings)>,
    ) -> fmt::Result {
        let mut metric = self.0.encode_descriptor(name, help, None, MetricType::Histogram)?;
        for (labels, readings) in rows {
            let buckets: Vec<_> =
                readings.buckets.iter().map(|(bound, count)| (*bound as f64 / unit, *count)).collect();
            let sum = readings.sum as f64 / unit;
            metric.encode_family(&labels)?.encode_histogram::<NoLabelSet>(
                sum,
                readings.count(),
                &buckets,
                None,
            )?;
        }
        Ok(())
    }
}
