//! Counts of requests, response times, events and logins, as plain numbers.
//!
//! There is one row per route and one for everything else, created at the start, so that no request can add a row. A
//! request costs one look-up, two readings of the clock and three relaxed additions.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use axum::extract::{MatchedPath, Request};
use axum::http::{Method, StatusCode};
use tokio::time::Instant;

use crate::domain::event::Event;
use crate::domain::histogram::{Histogram, Readings};
use crate::domain::issuer::IssuerUrl;
use crate::domain::message::Channel;

/// Histogram bounds of response times, in microseconds.
const MICROSECONDS: &[u64] = &[
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000,
    2_500_000, 5_000_000, 10_000_000,
];
/// The methods that are counted separately; the last stands for all others.
const METHODS: [&str; 6] = ["GET", "HEAD", "POST", "DELETE", "OPTIONS", "other"];
/// The classes of status codes (RFC 9110 §15).
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];
/// The name for all paths outside the route table.
const ELSEWHERE: &str = "other";

/// The request metrics of one provider.
pub(crate) struct RequestMetrics {
    rows: Vec<Row>,
    /// Rows by the path that the router matched, including the prefix of the issuer.
    by_path: HashMap<String, usize>,
    /// Counts of events and of login outcomes, behind a lock because they are rare compared with requests.
    events: Mutex<BTreeMap<&'static str, u64>>,
    logins: Mutex<BTreeMap<&'static str, u64>>,
    messages: Mutex<BTreeMap<(Channel, &'static str), u64>>,
}

struct Row {
    route: String,
    answers: [[AtomicU64; CLASSES.len()]; METHODS.len()],
    time: Histogram,
}

/// The number of responses of a route with one method and class of status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponseCount {
    /// The path below the issuer with its placeholders; `other` for paths outside the route table.
    pub route: String,
    /// The method, or `other`.
    pub method: &'static str,
    /// The class of the status: `2xx` and so on.
    pub status: &'static str,
    /// The number of responses.
    pub count: u64,
}

impl RequestMetrics {
    /// Creates the rows for this root issuer and these routes below each issuer.
    pub(crate) fn new(root: &IssuerUrl, routes: impl IntoIterator<Item = String>) -> Self {
        let mut traffic = Self {
            rows: vec![Row::new(ELSEWHERE.to_owned())],
            by_path: HashMap::new(),
            events: Mutex::default(),
            logins: Mutex::default(),
            messages: Mutex::default(),
        };
        for route in routes {
            let number = traffic.rows.len();
            for issuer in ["", "/t/{tenant}"] {
                traffic.by_path.insert(format!("{}{issuer}{route}", root.path()), number);
                // The form of the metadata documents whose path begins at the host's root (RFC 8414 §3.1).
                traffic.by_path.entry(format!("{route}{}{issuer}", root.path())).or_insert(number);
            }
            traffic.rows.push(Row::new(route));
        }
        traffic
    }

    /// Starts measuring a request.
    pub(crate) fn begin(&self, request: &Request) -> InFlight<'_> {
        let matched = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
        let number = matched.and_then(|path| self.by_path.get(path)).copied().unwrap_or_default();
        let row = self.rows.get(number);
        InFlight { row, method: method(request.method()), since: Instant::now() }
    }

    /// Counts an event.
    pub(crate) fn note(&self, event: &Event) {
        raise(&self.events, event.name());
        if let Some(outcome) = event.login_outcome() {
            raise(&self.logins, outcome);
        }
    }

    /// Counts a try to send a message by its outcome.
    pub(crate) fn note_message(&self, channel: Channel, outcome: &'static str) {
        raise(&self.messages, (channel, outcome));
    }

    /// The responses so far, without zeros.
    pub(crate) fn answers(&self) -> Vec<ResponseCount> {
        let mut all = Vec::new();
        for row in &self.rows {
            for (method, classes) in METHODS.iter().zip(&row.answers) {
                for (status, count) in CLASSES.iter().zip(classes) {
                    let count = count.load(Ordering::Relaxed);
                    if count > 0 {
                        all.push(ResponseCount { route: row.route.clone(), method, status, count });
                    }
                }
            }
        }
        all
    }

    /// The response times of each route in microseconds, without routes that had no requests.
    pub(crate) fn times(&self) -> Vec<(String, Readings)> {
        let rows = self.rows.iter().map(|row| (row.route.clone(), row.time.read()));
        rows.filter(|(_, readings)| readings.count() > 0).collect()
    }

    /// The number of events by name.
    pub(crate) fn events(&self) -> BTreeMap<&'static str, u64> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The number of messages by channel and outcome.
    pub(crate) fn messages(&self) -> BTreeMap<(Channel, &'static str), u64> {
        self.messages.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The number of logins by outcome.
    pub(crate) fn logins(&self) -> BTreeMap<&'static str, u64> {
        self.logins.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn raise<K: Ord>(counts: &Mutex<BTreeMap<K, u64>>, name: K) {
    *counts.lock().unwrap_or_else(PoisonError::into_inner).entry(name).or_default() += 1;
}

impl Row {
    fn new(route: String) -> Self {
        Self { route, answers: Default::default(), time: Histogram::new(MICROSECONDS) }
    }
}

/// The method's index in [`METHODS`].
fn method(method: &Method) -> usize {
    METHODS.iter().position(|name| *name == method.as_str()).unwrap_or(METHODS.len() - 1)
}

/// A request in progress.
pub(crate) struct InFlight<'a> {
    row: Option<&'a Row>,
    method: usize,
    since: Instant,
}

impl<'a> InFlight<'a> {
    /// The route as in the table.
    pub(crate) fn route(&self) -> &'a str {
        self.row.map_or(ELSEWHERE, |row| &row.route)
    }

    /// Returns whether the request is for one of the public documents.
    pub(crate) fn is_document(&self) -> bool {
        let route = self.route();
        route == "/jwks" || route.starts_with("/.well-known/")
    }

    /// The method, or `other`.
    pub(crate) fn method(&self) -> &'static str {
        METHODS.get(self.method).copied().unwrap_or_default()
    }

    /// Records the response.
    pub(crate) fn end(self, status: StatusCode) {
        let Some(row) = self.row else { return };
        let class = usize::from(status.as_u16() / 100).saturating_sub(1);
        if let Some(count) = row.answers.get(self.method).and_then(|classes| classes.get(class)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        row.time.add(self.since.elapsed().as_micros().try_into().unwrap_or(u64::MAX));
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn request(method: &str) -> Request {
        Request::builder().method(method).uri("/x").body(Body::empty()).unwrap()
    }

    #[test]
    fn nothing_in_a_request_makes_a_row() {
        let root = IssuerUrl::parse("https://id.test/id").unwrap();
        let traffic = RequestMetrics::new(&root, ["/token".to_owned()]);
        for name in ["GET", "BREW", "STEEP"] {
            traffic.begin(&request(name)).end(StatusCode::NOT_FOUND);
        }
        let row = |method, count| ResponseCount { route: "other".to_owned(), method, status: "4xx", count };
        assert_eq!(traffic.answers(), [row("GET", 1), row("other", 2)]);
        assert_eq!(traffic.times().len(), 1);
    }

    #[test]
    fn a_route_is_one_row_at_every_issuer() {
        let root = IssuerUrl::parse("https://id.test/id").unwrap();
        let traffic = RequestMetrics::new(&root, ["/token".to_owned()]);
        let row = |path: &str| traffic.by_path.get(path).copied();
        assert_eq!(row("/id/token"), Some(1));
        assert_eq!(row("/id/t/{tenant}/token"), Some(1));
        assert_eq!(row("/token"), None);
    }
}
