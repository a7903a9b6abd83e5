//! The guard of a row: the check of an access token that runs before the row's handler.

use std::fmt;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use futures_util::future::BoxFuture;

use crate::provider::Idp;

/// Reads the access token of a request. Returns the request with the token's facts among its extensions, or the refusal.
type TokenCheck = fn(Idp, Request, &'static str) -> BoxFuture<'static, Result<Request, Response>>;

/// Demands an access token with one scope. `Route::mount` runs it, so no handler can forget it.
///
/// The check is the business of the room that owns the row, because rooms refuse in different formats.
#[derive(Clone, Copy)]
pub struct BearerGuard {
    scope: &'static str,
    check: TokenCheck,
}

impl BearerGuard {
    /// A guard that demands this scope.
    pub(crate) const fn new(scope: &'static str, check: TokenCheck) -> Self {
        Self { scope, check }
    }

    /// The scope that the access token must have.
    pub const fn scope(&self) -> &'static str {
        self.scope
    }

    /// Runs the handler if the check lets the request in.
    pub(super) async fn enforce(self, State(idp): State<Idp>, request: Request, next: Next) -> Response {
        match (self.check)(idp, request, self.scope).await {
            Ok(request) => next.run(request).await,
            Err(refusal) => refusal,
        }
    }
}

impl fmt::Debug for BearerGuard {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("BearerGuard").field(&self.scope).finish()
    }
}

/// Two guards are equal if they demand the same scope.
impl PartialEq for BearerGuard {
    fn eq(&self, other: &Self) -> bool {
        self.scope == other.scope
    }
}

impl Eq for BearerGuard {}
