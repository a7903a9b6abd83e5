//! The response to a failure of the provider itself: 503 with `Retry-After` for a store that is busy or away, else 500.

use axum::Json;
use axum::http::header::{CACHE_CONTROL, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::domain::error::ErrorCode;
use crate::provider::Internal;

impl Internal {
    /// Seconds after which trying again makes sense.
    pub(crate) const RETRY_AFTER: &'static str = "2";

    /// 503 or 500; 200 for a HEAD that changed nothing.
    pub(crate) const fn status(&self) -> StatusCode {
        match self {
            Self::Busy(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Fault(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unchanged(_) => StatusCode::OK,
        }
    }

    /// Puts status and `Retry-After` on an answer that was made for this failure.
    pub(crate) fn mark(&self, mut response: Response) -> Response {
        *response.status_mut() = self.status();
        if matches!(self, Self::Busy(_)) {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static(Self::RETRY_AFTER));
        }
        response
    }
}

/// As JSON, for the endpoints that programs call; pages render themselves and use [`Internal::mark`].
impl IntoResponse for Internal {
    fn into_response(self) -> Response {
        let code = match self {
            Self::Busy(_) => ErrorCode::TemporarilyUnavailable,
            Self::Fault(_) | Self::Unchanged(_) => ErrorCode::ServerError,
        };
        let description = format!("reference {}", self.reference());
        let body = Json(json!({ "error": code.as_str(), "error_description": description }));
        self.mark(([(CACHE_CONTROL, "no-store")], body).into_response())
    }
}
