//! Public documents that are built once per issuer and then served as they are: discovery and key sets.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use quick_cache::sync::Cache;

use super::error::Internal;
use crate::crypto::secret;
use crate::domain::ids::IssuerId;

/// A document and the tag of its content.
#[derive(Clone, Debug)]
pub(crate) struct Document {
    body: Bytes,
    etag: HeaderValue,
    cache_control: HeaderValue,
}

impl Document {
    /// A JSON document that anybody may keep for so long.
    pub(crate) fn json(value: &serde_json::Value, max_age: Duration) -> Result<Self, Internal> {
        let body = Bytes::from(value.to_string());
        let hash = secret::hash(&value.to_string());
        let tag = hash.as_str().get(..16).unwrap_or_default();
        let header = |text: String| HeaderValue::try_from(text).map_err(|error| Internal::fault(&error));
        let etag = header(format!("\"{tag}\""))?;
        let cache_control = header(format!("public, max-age={}", max_age.as_secs()))?;
        Ok(Self { body, etag, cache_control })
    }

    /// The document, or 304 if the caller has it. Any web page may read it: it is public and asks for no cookie.
    pub(crate) fn answer(&self, request: &HeaderMap) -> Response {
        let known = request.get_all(IF_NONE_MATCH).iter().any(|tag| tag == self.etag);
        let headers = [
            (ETAG, self.etag.clone()),
            (CACHE_CONTROL, self.cache_control.clone()),
            (CONTENT_TYPE, HeaderValue::from_static("application/json")),
            (ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*")),
        ];
        if known {
            (StatusCode::NOT_MODIFIED, headers).into_response()
        } else {
            (headers, self.body.clone()).into_response()
        }
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
        // Whoever comes first builds for all.
        self.0.get_or_insert_async(&key, async { build.await.map(Arc::new) }).boxed().await
    }
}
