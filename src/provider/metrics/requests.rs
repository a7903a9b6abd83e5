//! How much is asked of each route and how long it takes, and how often what happened: plain numbers, which whoever
//! shows figures reads.
//!
//! There is one row for each route of the table and one for everything else, made at the start: nothing that stands in a
//! request can make another. A request costs one look-up, two readings of the clock and three relaxed additions.

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

/// Upper bounds of the time an answer takes, in microseconds.
const MICROSECONDS: &[u64] = &[
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000,
    2_500_000, 5_000_000, 10_000_000,
];
/// The methods that are told apart; the last stands for all others.
const METHODS: [&str; 6] = ["GET", "HEAD", "POST", "DELETE", "OPTIONS", "other"];
/// The classes of status codes (RFC 9110 §15).
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];
/// The route of whatever is in no table.
const ELSEWHERE: &str = "other";

/// The figures of one provider.
pub(crate) struct RequestMetrics {
    rows: Vec<Row>,
    /// Rows by the path that the router matched, with what stands in front of the issuer.
    by_path: HashMap<String, usize>,
    /// How often each kind of event happened, and each outcome of logins. They are rare beside requests.
    events: Mutex<BTreeMap<&'static str, u64>>,
    logins: Mutex<BTreeMap<&'static str, u64>>,
    messages: Mutex<BTreeMap<(Channel, &'static str), u64>>,
}

struct Row {
    route: String,
    answers: [[AtomicU64; CLASSES.len()]; METHODS.len()],
    time: Histogram,
}

/// How often a route was answered like that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponseCount {
    /// The path below the issuer, with its open places; `other` for what is in no table.
    pub route: String,
    /// The method, or `other`.
    pub method: &'static str,
    /// `2xx` and so on.
    pub status: &'static str,
    /// How often.
    pub count: u64,
}

impl RequestMetrics {
    /// For a provider with this root issuer and these routes below each issuer.
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
                // The form of the metadata documents that begins at the host's root (RFC 8414 §3.1).
                traffic.by_path.entry(format!("{route}{}{issuer}", root.path())).or_insert(number);
            }
            traffic.rows.push(Row::new(route));
        }
        traffic
    }

    /// A request that comes in.
    pub(crate) fn begin(&self, request: &Request) -> InFlight<'_> {
        let matched = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
        let number = matched.and_then(|path| self.by_path.get(path)).copied().unwrap_or_default();
        let row = self.rows.get(number);
        InFlight { row, method: method(request.method()), since: Instant::now() }
    }

    /// An event.
    pub(crate) fn note(&self, event: &Event) {
        raise(&self.events, event.name());
        if let Some(outcome) = event.login_outcome() {
            raise(&self.logins, outcome);
        }
    }

    /// A try to send a message, and what came of it in one word.
    pub(crate) fn note_message(&self, channel: Channel, outcome: &'static str) {
        raise(&self.messages, (channel, outcome));
    }

    /// What was answered so far; what never was is left out.
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

    /// How long the answers of each route took, in microseconds; routes never asked are left out.
    pub(crate) fn times(&self) -> Vec<(String, Readings)> {
        let rows = self.rows.iter().map(|row| (row.route.clone(), row.time.read()));
        rows.filter(|(_, readings)| readings.count() > 0).collect()
    }

    /// How often each kind of event happened.
    pub(crate) fn events(&self) -> BTreeMap<&'static str, u64> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How often messages were sent, put off and given up.
    pub(crate) fn messages(&self) -> BTreeMap<(Channel, &'static str), u64> {
        self.messages.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How often logins came out how.
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

/// The method's place among those that are told apart.
fn method(method: &Method) -> usize {
    METHODS.iter().position(|name| *name == method.as_str()).unwrap_or(METHODS.len() - 1)
}

/// A request that is under way.
pub(crate) struct InFlight<'a> {
    row: Option<&'a Row>,
    method: usize,
    since: Instant,
}

impl<'a> InFlight<'a> {
    /// The route, as the table has it.
    pub(crate) fn route(&self) -> &'a str {
        self.row.map_or(ELSEWHERE, |row| &row.route)
    }

    /// Is it for one of the documents that everybody may read?
    pub(crate) fn is_document(&self) -> bool {
        let route = self.route();
        route == "/jwks" || route.starts_with("/.well-known/")
    }

    /// The method, or `other`.
    pub(crate) fn method(&self) -> &'static str {
        METHODS.get(self.method).copied().unwrap_or_default()
    }

    /// It was answered.
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
