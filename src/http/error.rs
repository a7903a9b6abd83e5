//! What went wrong inside, as opposed to what somebody asked wrongly.
//!
//! The only place where a storage error becomes an answer: a store that is busy or away is 503 with `Retry-After`,
//! anything else is logged under a reference, and the outside sees the reference alone.

use axum::Json;
use axum::http::header::{CACHE_CONTROL, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::account;
use crate::crypto::jwt::JwtError;
use crate::crypto::random;
use crate::crypto::seal::SealError;
use crate::domain::error::ErrorCode;
use crate::domain::ids::Reference;
use crate::ext::Unavailable;
use crate::storage;

/// An inner failure, already logged.
#[derive(Clone, Debug)]
pub(crate) enum Internal {
    /// Try again soon.
    Busy(Reference),
    /// A fault of ours.
    Fault(Reference),
    /// A HEAD, which must change nothing, for something that a GET would have changed.
    Unchanged(Reference),
}

impl Internal {
    /// Seconds after which trying again makes sense.
    pub(crate) const RETRY_AFTER: &'static str = "2";

    /// Logs a fault and gives it a reference.
    pub(crate) fn fault(source: &dyn std::fmt::Display) -> Self {
        let reference = random::reference();
        tracing::error!(%reference, error = %source, "internal error");
        Self::Fault(reference)
    }

    /// Logs that something is busy or away for now, and gives it a reference.
    pub(crate) fn busy(source: &dyn std::fmt::Display) -> Self {
        let reference = random::reference();
        tracing::warn!(%reference, error = %source, "busy");
        Self::Busy(reference)
    }

    /// What the user may quote.
    pub(crate) const fn reference(&self) -> &Reference {
        match self {
            Self::Busy(reference) | Self::Fault(reference) | Self::Unchanged(reference) => reference,
        }
    }

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

impl From<storage::Error> for Internal {
    fn from(error: storage::Error) -> Self {
        match error {
            storage::Error::Busy(_) => Self::busy(&error),
            storage::Error::ReadOnly => Self::Unchanged(random::reference()),
            _ => Self::fault(&error),
        }
    }
}

impl From<account::Error> for Internal {
    fn from(error: account::Error) -> Self {
        match error {
            account::Error::Store(error) => error.into(),
            account::Error::Busy(error) => Self::busy(&error),
            account::Error::Directory(error) => error.into(),
            account::Error::Seal(error) => error.into(),
            account::Error::Passkey(error) => Self::fault(&error),
        }
    }
}

impl From<Unavailable> for Internal {
    fn from(error: Unavailable) -> Self {
        Self::busy(&error)
    }
}

impl From<SealError> for Internal {
    fn from(error: SealError) -> Self {
        Self::fault(&error)
    }
}

impl From<JwtError> for Internal {
    fn from(error: JwtError) -> Self {
        Self::fault(&error)
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
