//! Public documents that are built once per issuer and then served as they are, headers included: discovery and key sets.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::FromRequestParts;
use axum::http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use futures_util::FutureExt;
use quick_cache::sync::Cache;

use super::error::Internal;
use super::reply::secure;
use super::state::Idp;
use crate::crypto::secret;
use crate::domain::ids::IssuerId;

/// A document, and all headers of its answer, the tag of its content among them.
#[derive(Clone, Debug)]
pub(crate) struct Document {
    body: Bytes,
    headers: HeaderMap,
}

/// The tags of what the caller has (RFC 9110 §13.1.2).
pub(crate) struct IfNoneMatch(Vec<HeaderValue>);

impl<S: Sync> FromRequestParts<S> for IfNoneMatch {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(parts.headers.get_all(IF_NONE_MATCH).iter().cloned().collect()))
    }
}

impl Document {
    /// A JSON document that anybody may keep for so long.
    ///
    /// Any web page may read it: it is public and asks for no cookie.
    pub(crate) fn json(idp: &Idp, value: &serde_json::Value, max_age: Duration) -> Result<Self, Internal> {
        let text = value.to_string();
        let hash = secret::hash(&text);
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
        secure(idp, &mut headers);
        Ok(Self { body: Bytes::from(text), headers })
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

/// What a document is filed under; a new revision of the catalogue makes every earlier one unreachable.
type Key = (IssuerId, &'static str, i64);

/// The documents built so far.
pub(crate) struct Documents(Cache<Key, Arc<Document>>);

impl Documents {
    /// An empty file; the number bounds its memory, not what can be served.
    pub(crate) fn new() -> Self {
        Self(Cache::new(1024))
    }

    /// Returns whether the document of that name was built under this revision.
    pub(crate) fn holds(&self, issuer: &IssuerId, name: &'static str, revision: i64) -> bool {
        self.0.get(&(issuer.clone(), name, revision)).is_some()
    }

    /// The document of that name, built if need be.
    pub(crate) async fn or_build(
        &self,
        issuer: &IssuerId,
        name: &'static str,
        revision: i64,
        build: impl Future<Output = Result<Document, Internal>> + Send,
    ) -> Result<Arc<Document>, Internal> {
        let key = (issuer.clone(), name, revision);
        if let Some(document) = self.0.get(&key) {
            return Ok(document);
        }
        // Callers at the same moment each build it: one that waited for another would depend on that one being polled.
        let document = build.boxed().await.map(Arc::new)?;
        self.0.insert(key, document.clone());
        Ok(document)
    }
}
