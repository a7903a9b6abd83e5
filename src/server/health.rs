//! `/healthz`: the process gets on with its work; otherwise it is to be restarted. `/readyz`: it should be sent requests.
//!
//! A restart cures a process that has stopped moving, and nothing else. So `/healthz` is red only if something has had work
//! for a minute without progress *and* the database answers on a connection apart: while the database is gone, or hangs,
//! every process is as well as it can be.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::response::IntoResponse;
use axum::routing::get;

use crate::provider::Idp;

/// A store that does not answer within this time is away.
const PATIENCE: Duration = Duration::from_secs(2);
/// The same for `/healthz`, which must answer within the second that orchestrators wait for it.
const PROBE: Duration = Duration::from_millis(500);
/// How long work may wait without progress.
const STALLED: Duration = Duration::from_mins(1);

/// How the process is.
#[derive(Clone)]
pub(crate) struct Health {
    idp: Idp,
    draining: Arc<AtomicBool>,
    stalled: Duration,
    probe: Duration,
}

impl Health {
    /// Of this provider.
    pub(crate) fn new(idp: Idp) -> Self {
        Self { idp, draining: Arc::default(), stalled: STALLED, probe: PROBE }
    }

    /// From now on `/readyz` is red.
    pub(crate) fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Both addresses.
    pub(crate) fn router(&self) -> Router {
        Router::new().route("/healthz", get(alive)).route("/readyz", get(ready)).with_state(self.clone())
    }
}

async fn alive(State(health): State<Health>) -> impl IntoResponse {
    let idp = &health.idp;
    if idp.stalled(health.stalled).is_empty() || !idp.db().answers(health.probe).await {
        return answer(StatusCode::OK, "alive".to_owned());
    }
    // A look that failed when the last request came says nothing about now.
    drop(idp.catalogue().revision().await);
    let stalled = idp.stalled(health.stalled).join(", ");
    if stalled.is_empty() {
        return answer(StatusCode::OK, "alive".to_owned());
    }
    tracing::error!(stalled, "this process has stopped moving and should be restarted");
    answer(StatusCode::SERVICE_UNAVAILABLE, format!("stalled: {stalled}"))
}

async fn ready(State(health): State<Health>) -> impl IntoResponse {
    if health.draining.load(Ordering::Relaxed) {
        return answer(StatusCode::SERVICE_UNAVAILABLE, "draining".to_owned());
    }
    match tokio::time::timeout(PATIENCE, health.idp.catalogue().revision()).await {
        Ok(Ok(_)) => answer(StatusCode::OK, "ready".to_owned()),
        _ => answer(StatusCode::SERVICE_UNAVAILABLE, "the database is away".to_owned()),
    }
}

fn answer(status: StatusCode, text: String) -> impl IntoResponse {
    (status, [(CACHE_CONTROL, "no-store")], text)
}

#[cfg(test)]
mod tests;
