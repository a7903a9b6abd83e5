//! Cross-origin requests (the CORS protocol of the Fetch standard), on the routes that applications in a browser need.
//!
//! The allowed origins are those of the redirect URIs of the issuer's clients, because a page at such an address can
//! receive codes anyway. Credentials are never allowed: these endpoints do not read the session's cookie. So any request
//! header is allowed: none of them adds another user's authority. Other origins get the same responses without CORS
//! headers, which no browser shows to a page. Discovery and
//! keys are for everybody (see `documents`).

use axum::extract::{FromRequestParts, Request, State};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD, ALLOW, ORIGIN, VARY,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::issuer::CurrentIssuer;
use crate::domain::header::trim_ows;
use crate::provider::Idp;
use crate::storage::Catalogue;

/// The most headers that one preflight may ask for.
const MOST_HEADERS: usize = 64;

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
        Ok(current) => is_registered(idp.catalogue(), &current, &origin).await,
        Err(_) => false,
    };
    let asks_first =
        parts.method == Method::OPTIONS && parts.headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = if registered && asks_first {
        preflight(methods, &parts.headers)
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

/// `OPTIONS` on a public document, which every page may read.
pub(crate) async fn public(_: CurrentIssuer, headers: HeaderMap) -> Response {
    let mut response = preflight(HeaderValue::from_static("GET, HEAD"), &headers);
    let own = [(ACCESS_CONTROL_ALLOW_ORIGIN, "*"), (ALLOW, "GET, HEAD, OPTIONS")];
    response.headers_mut().extend(own.map(|(name, value)| (name, HeaderValue::from_static(value))));
    response
}

fn preflight(methods: HeaderValue, request: &HeaderMap) -> Response {
    let headers = [
        (ACCESS_CONTROL_ALLOW_METHODS, methods),
        (ACCESS_CONTROL_ALLOW_HEADERS, allowed_headers(request)),
        (ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600")),
        (VARY, HeaderValue::from_static("Access-Control-Request-Headers")),
    ];
    (StatusCode::NO_CONTENT, headers).into_response()
}

/// The headers that the browser asks for, as far as they are names of headers; the usual two if it asks for none.
fn allowed_headers(request: &HeaderMap) -> HeaderValue {
    let asked = request.get_all(ACCESS_CONTROL_REQUEST_HEADERS).into_iter();
    let words = asked.filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(',')).map(trim_ows);
    let names = words.filter_map(|word| HeaderName::from_bytes(word.as_bytes()).ok()).take(MOST_HEADERS);
    let names: Vec<HeaderName> = names.collect();
    let list = names.iter().map(HeaderName::as_str).collect::<Vec<_>>().join(", ");
    let list = HeaderValue::try_from(list).ok().filter(|list| !list.is_empty());
    list.unwrap_or(HeaderValue::from_static("authorization, content-type"))
}

/// Returns `false` if the store is unavailable: the response itself reports the failure.
async fn is_registered(catalogue: &Catalogue, current: &CurrentIssuer, origin: &HeaderValue) -> bool {
    let Ok(origin) = origin.to_str() else { return false };
    catalogue.origins(&current.issuer.id).await.is_ok_and(|origins| origins.contains(origin))
}
