//! Responses made of public documents, which are the same for every caller: discovery and key sets.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::FromRequestParts;
use axum::http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;

use super::reply::secure;
use crate::crypto::secret;
use crate::domain::settings::Settings;
use crate::provider::{Document, Internal};

/// The tags of what the caller has (RFC 9110 §13.1.2).
pub(crate) struct IfNoneMatch(Vec<HeaderValue>);

impl<S: Sync> FromRequestParts<S> for IfNoneMatch {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(parts.headers.get_all(IF_NONE_MATCH).iter().cloned().collect()))
    }
}

impl Document {
    /// A JSON document that caches may keep for `max_age`.
    ///
    /// Pages of any origin may read it: it is public and needs no cookie.
    pub(crate) fn json(settings: &Settings, text: &str, max_age: Duration) -> Result<Self, Internal> {
        let hash = secret::hash(text);
        let tag = hash.as_str().get(..16).unwrap_or_default();
        let header = |text: String| HeaderValue::try_from(text).map_err(|error| Internal::fault(&error));
        let etag = header(format!("\"{tag}\""))?;
        let cache_control = header(format!("public, max-age={}", max_age.as_secs()))?;
        let mut headers = HeaderMap::from_iter([
            (ETAG, etag),
            (CACHE_CONTROL, cache_control),
            (CONTENT_TYPE, HeaderValue::from_static("application/json")),
            (ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*")),
        ]);
        secure(settings, &mut headers);
        Ok(Self { body: Bytes::copy_from_slice(text.as_bytes()), headers })
    }

    /// The document, or 304 if the caller has it.
    pub(crate) fn answer(&self, known: &IfNoneMatch) -> Response {
        let known = known.0.iter().any(|tag| self.headers.get(ETAG) == Some(tag));
        let mut response = Response::new(if known { Body::empty() } else { Body::from(self.body.clone()) });
        *response.headers_mut() = self.headers.clone();
        if known {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
        }
        response
    }
}
