//! `/metrics` for Prometheus (text format 0.0.4). Each scrape has its own registry, because a collector is synchronous
//! and the outbox must be queried.
//!
//! It is served only on the separate address of the setting `metrics_listen`. Why not beside the provider: everything
//! there is public as soon as a proxy forwards all paths, and the number of failed logins by reason shows attackers
//! their progress. Why no password instead: every scraper would need it in a file, while the network already controls
//! who can reach a port.
//!
//! No label contains text from requests: routes are those of the table, and all other values are constants.

mod collector;
mod process;

use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus_client::encoding::prometheus_text::{CONTENT_TYPE as TEXT, encode};
use prometheus_client::registry::Registry;

use self::collector::MetricsCollector;
use super::listen::ConnectionLimit;
use crate::provider::Idp;

/// Time limit for the store; its metrics are left out if it is exceeded.
const PATIENCE: Duration = Duration::from_secs(2);

/// The route `/metrics`.
pub(crate) fn router(idp: &Idp, seats: &ConnectionLimit) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .with_state(MetricsCollector::new(idp.clone(), seats.clone()))
}

async fn metrics(State(house): State<MetricsCollector>) -> Response {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(house.scraped(PATIENCE).await));
    let mut text = String::new();
    match encode(&mut text, &registry) {
        Ok(()) => ([(CONTENT_TYPE, TEXT), (CACHE_CONTROL, "no-store")], text).into_response(),
        // Writing to memory does not fail; if it ever does, the scraper sees a gap.
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}
