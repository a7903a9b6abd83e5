//! How the APIs refuse: problem details (RFC 9457) with a stable `type`, and the challenge of RFC 6750 if the problem is
//! the token.

use axum::Json;
use axum::http::header::{CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::domain::error::ErrorCode;
use crate::protocol::bearer::BearerError;
use crate::provider::Internal;

/// Why a call is refused.
#[derive(Clone, Debug)]
pub(super) enum ApiError {
    /// The thing does not exist or is not the caller's; the answer is the same for both.
    NotFound,
    /// The body or the query is not what the operation takes.
    InvalidRequest(StatusCode, Vec<InvalidMember>),
    /// The access token is missing, invalid or lacks the scope.
    Bearer(BearerError),
    /// The provider itself failed.
    Internal(Internal),
}

/// The kinds of problems; the `type` of a problem is stable, its other members are for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) enum ProblemType {
    /// The thing does not exist or is not the caller's.
    #[serde(rename = "urn:vestibule:problem:not-found")]
    NotFound,
    /// The body, the query or the way the token was sent is wrong.
    #[serde(rename = "urn:vestibule:problem:invalid-request")]
    InvalidRequest,
    /// The request has no access token.
    #[serde(rename = "urn:vestibule:problem:token-missing")]
    TokenMissing,
    /// The access token is malformed, expired, revoked or meant for others.
    #[serde(rename = "urn:vestibule:problem:token-invalid")]
    TokenInvalid,
    /// The access token lacks the operation's scope.
    #[serde(rename = "urn:vestibule:problem:scope-missing")]
    ScopeMissing,
    /// The provider has a fault; its log has the reference.
    #[serde(rename = "urn:vestibule:problem:internal-error")]
    InternalError,
    /// The provider is busy or its database is away: try again later.
    #[serde(rename = "urn:vestibule:problem:unavailable")]
    Unavailable,
}

impl ProblemType {
    const fn title(self) -> &'static str {
        match self {
            Self::NotFound => "Not found",
            Self::InvalidRequest => "Invalid request",
            Self::TokenMissing => "Missing access token",
            Self::TokenInvalid => "Invalid access token",
            Self::ScopeMissing => "Missing scope",
            Self::InternalError => "Internal error",
            Self::Unavailable => "Temporarily unavailable",
        }
    }
}

/// The body of every refusal (RFC 9457 §3).
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct ProblemDetails {
    #[serde(rename = "type")]
    kind: ProblemType,
    /// The type in words.
    title: &'static str,
    /// The status of the response.
    status: u16,
    /// What is particular to this occurrence.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "String"))]
    detail: Option<String>,
    /// The members and parameters that are wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<InvalidMember>,
}

/// A wrong member of the body or parameter of the query (the extension `errors` of RFC 9457 §3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct InvalidMember {
    #[serde(flatten)]
    pub(super) place: MemberPlace,
    /// What is wrong with it.
    pub(super) detail: String,
}

/// Where a wrong value is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) enum MemberPlace {
    /// In the body: a JSON Pointer as a URI fragment (RFC 6901 §6).
    Pointer(String),
    /// In the query: the parameter's name.
    Parameter(String),
}

impl InvalidMember {
    /// The body as a whole.
    pub(super) fn body(detail: impl Into<String>) -> Self {
        Self { place: MemberPlace::Pointer("#".to_owned()), detail: detail.into() }
    }
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

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        match self {
            Self::NotFound => problem(StatusCode::NOT_FOUND, ProblemType::NotFound, None, Vec::new()),
            Self::InvalidRequest(status, errors) => {
                problem(status, ProblemType::InvalidRequest, None, errors)
            }
            Self::Bearer(error) => {
                let kind = error.code().map_or(ProblemType::TokenMissing, |code| match code {
                    ErrorCode::InsufficientScope => ProblemType::ScopeMissing,
                    ErrorCode::InvalidRequest => ProblemType::InvalidRequest,
                    _ => ProblemType::TokenInvalid,
                });
                let answer = error.into_response();
                let mut response = problem(answer.status(), kind, None, Vec::new());
                let challenge = answer.headers().get(WWW_AUTHENTICATE).cloned();
                response.headers_mut().extend(challenge.map(|challenge| (WWW_AUTHENTICATE, challenge)));
                response
            }
            Self::Internal(error) => {
                let detail = format!("reference {}", error.reference());
                let is_busy = matches!(error, Internal::Busy(_));
                let kind = if is_busy { ProblemType::Unavailable } else { ProblemType::InternalError };
                error.mark(problem(error.status(), kind, Some(detail), Vec::new()))
            }
        }
    }
}

fn problem(
    status: StatusCode,
    kind: ProblemType,
    detail: Option<String>,
    errors: Vec<InvalidMember>,
) -> Response {
    let details = ProblemDetails { kind, title: kind.title(), status: status.as_u16(), detail, errors };
    let mut response = (status, Json(details)).into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    response
}
