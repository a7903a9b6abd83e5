//! Public documents, built once per issuer and then served as they are, headers included: discovery and key sets.

use std::sync::Arc;

use axum::body::Bytes;
use axum::http::HeaderMap;
use futures_util::FutureExt;
use quick_cache::sync::Cache;

use super::Internal;
use crate::domain::ids::IssuerId;

/// A document, and all headers of its answer, the tag of its content among them.
#[derive(Clone, Debug)]
pub(crate) struct Document {
    pub(crate) body: Bytes,
    pub(crate) headers: HeaderMap,
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
