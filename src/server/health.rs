//! `/healthz`: the process runs. `/readyz`: it should be sent requests.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::response::IntoResponse;
use axum::routing::get;

use crate::http::Idp;

/// A store that does not answer within this time is away.
const PATIENCE: Duration = Duration::from_secs(2);

/// How the process is.
#[derive(Clone)]
pub(crate) struct Health {
    idp: Idp,
    draining: Arc<AtomicBool>,
}

impl Health {
    /// Of this provider.
    pub(crate) fn new(idp: Idp) -> Self {
        Self { idp, draining: Arc::default() }
    }

    /// From now on `/readyz` is red.
    pub(crate) fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Both addresses.
    pub(crate) fn router(&self) -> Router {
        Router::new()
            .route("/healthz", get(|| async { answer(StatusCode::OK, "alive") }))
            .route("/readyz", get(ready))
            .with_state(self.clone())
    }
}

async fn ready(State(health): State<Health>) -> impl IntoResponse {
    if health.draining.load(Ordering::Relaxed) {
        return answer(StatusCode::SERVICE_UNAVAILABLE, "draining");
    }
    match tokio::time::timeout(PATIENCE, health.idp.catalogue().revision()).await {
        Ok(Ok(_)) => answer(StatusCode::OK, "ready"),
        _ => answer(StatusCode::SERVICE_UNAVAILABLE, "the database is away"),
    }
}

fn answer(status: StatusCode, text: &'static str) -> impl IntoResponse + use<> {
    (status, [(CACHE_CONTROL, "no-store")], text)
}
