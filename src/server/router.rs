//! The route table: every route of the provider in one place.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use axum::Router;
use axum::body::HttpBody;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::header::{CONTENT_ENCODING, SET_COOKIE};
use axum::http::{Method, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use tracing::Instrument;

use crate::http::{self, Route, RouteInfo, secured, trace};
use crate::provider::{Idp, Internal};
use crate::{api, interaction, protocol};

/// Maximum size of a request body in bytes: the largest bodies are forms.
const BODY_LIMIT: usize = 64 * 1024;
/// Time limit for a response; hashing queues and busy stores give up well before.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Every route below each issuer.
fn routes() -> Vec<Route> {
    let mut all = protocol::routes();
    all.extend(interaction::routes());
    all.extend(api::routes());
    all.extend(http::routes());
    all
}

impl Idp {
    /// Every route below each issuer.
    pub fn routes() -> Vec<RouteInfo> {
        routes().iter().map(Route::info).collect()
    }

    /// Everything below the root issuer's path, including the tenants' issuers. Nest it at the issuer's path: for the
    /// issuer `https://host/id` at `/id`.
    pub fn router(&self) -> Router {
        let issuer = || routes().into_iter().fold(Router::new(), |router, route| route.mount(router, self));
        let all = Router::new().merge(issuer()).nest("/t/{tenant}", issuer());
        self.finish(all)
    }

    /// The metadata documents at `/.well-known/` of the host's root, with the issuer's path appended (RFC 8414 §3.1).
    /// Merge it into the host's root router.
    pub fn well_known(&self) -> Router {
        let inserted = protocol::inserted_routes(self.settings().issuer.path());
        self.finish(inserted.into_iter().fold(Router::new(), |router, route| route.mount(router, self)))
    }

    fn finish(&self, router: Router<Self>) -> Router {
        router.layer(middleware::from_fn_with_state(self.clone(), guard)).with_state(self.clone())
    }
}

/// What applies to every request. Why one function and not a layer for each: every layer boxes the request's future
/// once more, and together they would cost as much as the rest of a discovery response.
async fn guard(State(idp): State<Idp>, request: Request, next: Next) -> Response {
    let passing = idp.traffic().begin(&request);
    let is_head = request.method() == Method::HEAD;
    let span = trace::span(&passing);
    let mut response = answer(request, next).instrument(span.clone()).await;
    if is_head {
        // A HEAD request does not come from a browser that should store cookies.
        response.headers_mut().remove(SET_COOKIE);
    }
    trace::answered(&span, response.status());
    passing.end(response.status());
    secured(idp.settings(), response)
}

async fn answer(mut request: Request, next: Next) -> Response {
    // A compressed body could expand without bound, and no client needs one.
    if request.headers().contains_key(CONTENT_ENCODING) {
        return StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response();
    }
    if !request.body().is_end_stream() {
        DefaultBodyLimit::max(BODY_LIMIT).apply(&mut request);
    }
    let answer = AssertUnwindSafe(next.run(request)).catch_unwind();
    match tokio::time::timeout(TIMEOUT, answer).await {
        Ok(Ok(response)) => response,
        Ok(Err(_)) => Internal::fault(&"a request panicked").into_response(),
        Err(late) => Internal::busy(&late).into_response(),
    }
}
