//! `/metrics`, for Prometheus (text format 0.0.4): a registry for each scrape, for a collector may not wait and what is in
//! the outbox is asked of the store.
//!
//! It is served on an address of its own, and on none unless the setting `metrics_listen` names one. Why not beside the
//! provider: whatever stands there stands on the Internet as soon as a proxy passes everything on, and how many logins
//! fail for which reason tells an attacker how he is getting on. Why no password instead: every scraper would need it in
//! a file, while a network already tells who may reach which port.
//!
//! No label holds anything that came with a request: routes are those of the table, the rest are words of this house.

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

use self::collector::House;
use super::listen::ConnectionLimit;
use crate::provider::Idp;

/// A store that does not answer within this time is away; then its figures are left out.
const PATIENCE: Duration = Duration::from_secs(2);

/// The one address.
pub(crate) fn router(idp: &Idp, seats: &ConnectionLimit) -> Router {
    Router::new().route("/metrics", get(metrics)).with_state(House::new(idp.clone(), seats.clone()))
}

async fn metrics(State(house): State<House>) -> Response {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(house.scraped(PATIENCE).await));
    let mut text = String::new();
    match encode(&mut text, &registry) {
        Ok(()) => ([(CONTENT_TYPE, TEXT), (CACHE_CONTROL, "no-store")], text).into_response(),
        // Writing into memory does not fail; a scraper sees a gap if it ever should.
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}
