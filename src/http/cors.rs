//! Cross-origin requests (the CORS protocol of the Fetch standard), on the routes that applications in a browser need.
//!
//! Who may read an answer there is a matter of registration: the origins of the redirect URIs of the issuer's clients,
//! for whoever runs a page at such an address can be given codes anyway. Never with credentials: the session's cookie
//! is no business of these endpoints. Other origins get the same answers without a word about them, which no browser
//! shows to a page. Discovery and keys are for everybody (see `documents`).

use axum::extract::{FromRequestParts, Request, State};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::issuer::CurrentIssuer;
use super::state::Idp;

/// Lets pages at registered origins read what the route answers to them.
pub(super) async fn share(
    State(idp): State<Idp>,
    methods: HeaderValue,
    request: Request,
    next: Next,
) -> Response {
    let Some(origin) = request.headers().get(ORIGIN).cloned() else { return next.run(request).await };
    let (mut parts, body) = request.into_parts();
    let registered = match CurrentIssuer::from_request_parts(&mut parts, &idp).await {
        Ok(current) => is_registered(&idp, &current, &origin).await,
        Err(_) => false,
    };
    let asks_first =
        parts.method == Method::OPTIONS && parts.headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = if registered && asks_first {
        preflight(methods)
    } else {
        next.run(Request::from_parts(parts, body)).await
    };
    let headers = response.headers_mut();
    headers.append(VARY, HeaderValue::from_static("Origin"));
    if registered {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers
            .insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("www-authenticate, retry-after"));
    }
    response
}

fn preflight(methods: HeaderValue) -> Response {
    let headers = [
        (ACCESS_CONTROL_ALLOW_METHODS, methods),
        (ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("authorization, content-type")),
        (ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600")),
    ];
    (StatusCode::NO_CONTENT, headers).into_response()
}

/// A store that is away registers nobody: the answer itself tells what is wrong.
async fn is_registered(idp: &Idp, current: &CurrentIssuer, origin: &HeaderValue) -> bool {
    let Ok(origin) = origin.to_str() else { return false };
    idp.catalogue().origins(&current.issuer.id).await.is_ok_and(|origins| origins.contains(origin))
}
