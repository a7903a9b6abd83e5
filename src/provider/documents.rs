//! Public documents (discovery, key sets): built once per issuer and revision, and served with fixed headers.

use std::sync::Arc;

use axum::body::Bytes;
use axum::http::HeaderMap;
use futures_util::FutureExt;
use quick_cache::sync::Cache;

use super::Internal;
use crate::domain::ids::IssuerId;

/// A document with all its response headers, including its `ETag`.
#[derive(Clone, Debug)]
pub(crate) struct Document {
    pub(crate) body: Bytes,
    pub(crate) headers: HeaderMap,
}

/// The cache key. It contains the catalogue's revision, so a new revision invalidates every earlier entry.
type DocumentKey = (IssuerId, &'static str, i64);

/// The cached documents.
pub(crate) struct Documents(Cache<DocumentKey, Arc<Document>>);

impl Documents {
    /// An empty cache; the capacity bounds its memory.
    pub(crate) fn new() -> Self {
        Self(Cache::new(1024))
    }

    /// Returns whether the document of that name is cached for this revision.
    pub(crate) fn holds(&self, issuer: &IssuerId, name: &'static str, revision: i64) -> bool {
        self.0.get(&(issuer.clone(), name, revision)).is_some()
    }

    /// The document of that name, built if necessary.
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
        // Concurrent callers each build it: waiting for another caller would depend on that one being polled.
        let document = build.boxed().await.map(Arc::new)?;
        self.0.insert(key, document.clone());
        Ok(document)
    }
}
