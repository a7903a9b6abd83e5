//! Health checks: `/healthz` (liveness) fails if the process should be restarted; `/readyz` (readiness) fails if it
//! should get no requests.
//!
//! A restart only cures a process that has stalled. So `/healthz` fails only if a part has had work for a minute
//! without progress *and* the database answers on a separate connection: while the database is unreachable or hangs, a
//! restart does not help.

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

/// Time limit for the database in `/readyz`.
const PATIENCE: Duration = Duration::from_secs(2);
/// Time limit for the database in `/healthz`, which must answer within the second that orchestrators wait.
const PROBE: Duration = Duration::from_millis(500);
/// Time without progress after which waiting work counts as stalled.
const STALLED: Duration = Duration::from_mins(1);

/// The state behind the health checks.
#[derive(Clone)]
pub(crate) struct Health {
    idp: Idp,
    draining: Arc<AtomicBool>,
    stalled: Duration,
    probe: Duration,
}

impl Health {
    /// The health of this provider.
    pub(crate) fn new(idp: Idp) -> Self {
        Self { idp, draining: Arc::default(), stalled: STALLED, probe: PROBE }
    }

    /// Makes `/readyz` fail from now on.
    pub(crate) fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// The routes `/healthz` and `/readyz`.
    pub(crate) fn router(&self) -> Router {
        Router::new().route("/healthz", get(alive)).route("/readyz", get(ready)).with_state(self.clone())
    }
}

async fn alive(State(health): State<Health>) -> impl IntoResponse {
    let idp = &health.idp;
    if idp.stalled(health.stalled).is_empty() || !idp.db().answers(health.probe).await {
        return answer(StatusCode::OK, "alive".to_owned());
    }
    // Renews the look at the catalogue: one that failed at the last request says nothing about the present.
    drop(idp.catalogue().revision().await);
    let stalled = idp.stalled(health.stalled).join(", ");
    if stalled.is_empty() {
        return answer(StatusCode::OK, "alive".to_owned());
    }
    tracing::error!(stalled, "this process has stalled and should be restarted");
    answer(StatusCode::SERVICE_UNAVAILABLE, format!("stalled: {stalled}"))
}

async fn ready(State(health): State<Health>) -> impl IntoResponse {
    if health.draining.load(Ordering::Relaxed) {
        return answer(StatusCode::SERVICE_UNAVAILABLE, "draining".to_owned());
    }
    match tokio::time::timeout(PATIENCE, health.idp.catalogue().revision()).await {
        Ok(Ok(_)) => answer(StatusCode::OK, "ready".to_owned()),
        _ => answer(StatusCode::SERVICE_UNAVAILABLE, "the database is unreachable".to_owned()),
    }
}

fn answer(status: StatusCode, text: String) -> impl IntoResponse {
    (status, [(CACHE_CONTROL, "no-store")], text)
}

#[cfg(test)]
mod tests;
