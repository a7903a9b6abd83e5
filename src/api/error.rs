//! How the APIs refuse: problem details (RFC 9457) with a stable `type`, and the challenge of RFC 6750 where it is about
//! the token.

use axum::Json;
use axum::http::header::{CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::domain::error::ErrorCode;
use crate::protocol::bearer::BearerError;
use crate::provider::Internal;
use crate::{account, storage};

/// Why a call is refused.
#[derive(Clone, Debug)]
pub(super) enum ApiError {
    /// There is no such thing, or it is not the caller's: nobody learns which.
    Absent,
    /// A parameter is none that the call knows.
    Malformed(&'static str),
    /// The access token will not do.
    Bearer(BearerError),
    /// Ours.
    Internal(Internal),
}

impl From<BearerError> for ApiError {
    fn from(error: BearerError) -> Self {
        match error {
            BearerError::Internal(error) => Self::Internal(error),
            error => Self::Bearer(error),
        }
    }
}

impl From<Internal> for ApiError {
    fn from(error: Internal) -> Self {
        Self::Internal(error)
    }
}

impl From<storage::Error> for ApiError {
    fn from(error: storage::Error) -> Self {
        Self::Internal(error.into())
    }
}

impl From<account::Error> for ApiError {
    fn from(error: account::Error) -> Self {
        Self::Internal(error.into())
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        match self {
            Self::Absent => problem(StatusCode::NOT_FOUND, "absent", "There is nothing here", None),
            Self::Malformed(detail) => {
                problem(StatusCode::BAD_REQUEST, "malformed", "The request is malformed", Some(detail))
            }
            Self::Bearer(error) => {
                let kind = error.code().map_or("token-missing", |code| match code {
                    ErrorCode::InsufficientScope => "scope-missing",
                    ErrorCode::InvalidRequest => "malformed",
                    _ => "token-invalid",
                });
                let answer = error.into_response();
                let mut response = problem(answer.status(), kind, "The access token will not do", None);
                let challenge = answer.headers().get(WWW_AUTHENTICATE).cloned();
                response.headers_mut().extend(challenge.map(|challenge| (WWW_AUTHENTICATE, challenge)));
                response
            }
            Self::Internal(error) => {
                let detail = format!("reference {}", error.reference());
                let kind = if matches!(error, Internal::Busy(_)) { "busy" } else { "fault" };
                error.mark(problem(error.status(), kind, "The provider could not answer", Some(&detail)))
            }
        }
    }
}

fn problem(status: StatusCode, kind: &str, title: &str, detail: Option<&str>) -> Response {
    let mut body = json!({
        "type": format!("urn:vestibule:problem:{kind}"),
        "title": title,
        "status": status.as_u16(),
    });
    if let (Some(members), Some(detail)) = (body.as_object_mut(), detail) {
        members.insert("detail".to_owned(), detail.into());
    }
    let mut response = (status, Json(body)).into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    response
}
