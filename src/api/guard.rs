//! The guard of the APIs' rows: an access token of this issuer alone, with the row's scope.
//!
//! `Route::mount` runs it before the handler, whether or not the handler asks who calls.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::error::ApiError;
use crate::http::{Access, BearerGuard, CurrentIssuer};
use crate::protocol::bearer::{self, Caller};
use crate::provider::{Idp, Internal};

/// The access of a row that demands a token with this scope.
pub(super) const fn token_with(scope: &'static str) -> Access {
    Access::Bearer(BearerGuard::new(scope, check))
}

/// The caller whose token the row's guard accepted.
pub(super) struct Authorized(pub(super) Arc<Caller>);

impl FromRequestParts<Idp> for Authorized {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &Idp) -> Result<Self, ApiError> {
        let caller = parts.extensions.get::<Arc<Caller>>().cloned();
        let caller =
            caller.ok_or_else(|| Internal::fault(&"an API handler stands in a row without a guard"))?;
        Ok(Self(caller))
    }
}

fn check(idp: Idp, request: Request, scope: &'static str) -> BoxFuture<'static, Result<Request, Response>> {
    async move {
        let (mut parts, body) = request.into_parts();
        let current = CurrentIssuer::from_request_parts(&mut parts, &idp).await;
        let issuer = current.map_err(IntoResponse::into_response)?.issuer;
        let caller = bearer::caller(&idp, &issuer, &parts.uri, &parts.headers, scope).await;
        let caller = caller.map_err(|error| ApiError::from(error).into_response())?;
        parts.extensions.insert(Arc::new(caller));
        Ok(Request::from_parts(parts, body))
    }
    .boxed()
}
