//! Errors as programs see them: JSON from the token endpoint, a challenge from what an access token opens.

use std::time::Duration;

use axum::Json;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, PRAGMA, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::authorize::AuthorizeError;
use super::par;
use crate::domain::error::{ErrorCode, OAuthError};
use crate::provider::Internal;

/// Headers of every answer that holds tokens or tells of them (RFC 6749 §5.1).
pub(super) const NOT_STORED: [(axum::http::HeaderName, &str); 2] =
    [(CACHE_CONTROL, "no-store"), (PRAGMA, "no-cache")];

/// Why the token endpoint refuses (RFC 6749 §5.2).
#[derive(Clone, Debug)]
pub(crate) enum TokenError {
    /// The request's fault.
    Refused(OAuthError),
    /// The body is not a form.
    MediaType,
    /// Too much of something (RFC 6585 §4).
    TooMany {
        /// Of what, for the client's developer.
        what: &'static str,
        /// When that is over.
        retry_after: Duration,
    },
    /// Ours.
    Internal(Internal),
}

impl TokenError {
    /// A refusal with a description for the client's developer.
    pub(super) fn new(code: ErrorCode, description: &'static str) -> Self {
        Self::Refused(OAuthError::new(code, description))
    }
}

/// A pushed request that is refused (RFC 9126 §2.3): whatever a browser would have been shown or told, the client reads.
impl From<AuthorizeError> for TokenError {
    fn from(error: AuthorizeError) -> Self {
        match error {
            AuthorizeError::Show(error) | AuthorizeError::Redirect(_, error) => Self::Refused(error),
            AuthorizeError::Begun(_) => Self::Refused(par::void()),
            AuthorizeError::Internal(internal) => Self::Internal(internal),
        }
    }
}

impl From<OAuthError> for TokenError {
    fn from(error: OAuthError) -> Self {
        Self::Refused(error)
    }
}

impl From<Internal> for TokenError {
    fn from(error: Internal) -> Self {
        Self::Internal(error)
    }
}

impl IntoResponse for TokenError {
    fn into_response(self) -> Response {
        let (status, error) = match self {
            Self::Internal(internal) => return internal.into_response(),
            Self::TooMany { what, retry_after } => {
                let error = OAuthError::new(ErrorCode::TemporarilyUnavailable, what);
                let wait = [(RETRY_AFTER, seconds(retry_after).to_string())];
                return (wait, refusal(StatusCode::TOO_MANY_REQUESTS, &error)).into_response();
            }
            Self::MediaType => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                OAuthError::new(
                    ErrorCode::InvalidRequest,
                    "the body must be application/x-www-form-urlencoded",
                ),
            ),
            Self::Refused(error) if error.code == ErrorCode::InvalidClient => {
                (StatusCode::UNAUTHORIZED, error)
            }
            Self::Refused(error) => (StatusCode::BAD_REQUEST, error),
        };
        let response = refusal(status, &error);
        if status == StatusCode::UNAUTHORIZED {
            ([(WWW_AUTHENTICATE, "Basic realm=\"token\"")], response).into_response()
        } else {
            response
        }
    }
}

/// Whole seconds, of which the last is over too.
fn seconds(span: Duration) -> u64 {
    span.as_secs() + u64::from(span.subsec_nanos() > 0)
}

/// An error as JSON (RFC 6749 §5.2), logged.
fn refusal(status: StatusCode, error: &OAuthError) -> Response {
    log(error);
    let body = json!({ "error": error.code.as_str(), "error_description": error.description });
    (status, NOT_STORED, Json(body)).into_response()
}

/// Why a request with an access token is refused (RFC 6750 §3).
#[derive(Clone, Debug)]
pub(crate) enum BearerError {
    /// There was no token: a challenge without an error code (RFC 6750 §3.1).
    Missing,
    /// `invalid_request`, `invalid_token` or `insufficient_scope`.
    Refused(OAuthError),
    /// Ours.
    Internal(Internal),
}

impl BearerError {
    /// A refusal with a description for the client's developer.
    pub(super) fn new(code: ErrorCode, description: &'static str) -> Self {
        Self::Refused(OAuthError::new(code, description))
    }

    /// The error code of the challenge; a token that is missing has none.
    pub(crate) const fn code(&self) -> Option<ErrorCode> {
        match self {
            Self::Refused(error) => Some(error.code),
            Self::Missing | Self::Internal(_) => None,
        }
    }
}

impl From<OAuthError> for BearerError {
    fn from(error: OAuthError) -> Self {
        Self::Refused(error)
    }
}

impl From<Internal> for BearerError {
    fn from(error: Internal) -> Self {
        Self::Internal(error)
    }
}

impl IntoResponse for BearerError {
    fn into_response(self) -> Response {
        let error = match self {
            Self::Internal(internal) => return internal.into_response(),
            Self::Missing => {
                return (StatusCode::UNAUTHORIZED, [(WWW_AUTHENTICATE, "Bearer")]).into_response();
            }
            Self::Refused(error) => error,
        };
        log(&error);
        let status = match error.code {
            ErrorCode::InvalidRequest => StatusCode::BAD_REQUEST,
            ErrorCode::InsufficientScope => StatusCode::FORBIDDEN,
            _ => StatusCode::UNAUTHORIZED,
        };
        let (code, description) = (error.code.as_str(), error.description);
        let challenge = format!("Bearer error=\"{code}\", error_description=\"{description}\"");
        let body = json!({ "error": code, "error_description": description });
        (status, NOT_STORED, [(WWW_AUTHENTICATE, challenge)], Json(body)).into_response()
    }
}

/// The hint goes nowhere else.
fn log(error: &OAuthError) {
    tracing::debug!(
        error = error.code.as_str(),
        description = %error.description,
        hint = error.hint.as_deref(),
        "refused"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(response: &Response, name: &axum::http::HeaderName) -> String {
        response.headers().get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
    }

    #[test]
    fn a_failed_authentication_is_challenged() {
        let response = TokenError::new(ErrorCode::InvalidClient, "no").into_response();
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        assert!(header(&response, &WWW_AUTHENTICATE).starts_with("Basic "));
        assert_eq!(header(&response, &CACHE_CONTROL), "no-store");
    }

    #[test]
    fn other_refusals_are_bad_requests() {
        let response = TokenError::new(ErrorCode::InvalidGrant, "no").into_response();
        assert_eq!(response.status(), StatusCode::BAD_REQUEST);
        assert_eq!(header(&response, &WWW_AUTHENTICATE), "");
        assert_eq!(TokenError::MediaType.into_response().status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }

    #[test]
    fn a_bearer_learns_why() {
        for (code, status) in [
            (ErrorCode::InvalidRequest, StatusCode::BAD_REQUEST),
            (ErrorCode::InvalidToken, StatusCode::UNAUTHORIZED),
            (ErrorCode::InsufficientScope, StatusCode::FORBIDDEN),
        ] {
            let response = BearerError::new(code, "because").into_response();
            assert_eq!(response.status(), status);
            let challenge = format!("Bearer error=\"{}\", error_description=\"because\"", code.as_str());
            assert_eq!(header(&response, &WWW_AUTHENTICATE), challenge);
        }
        let response = BearerError::Missing.into_response();
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(header(&response, &WWW_AUTHENTICATE), "Bearer");
    }
}
