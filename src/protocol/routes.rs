//! The routes of this room, below each issuer.

use axum::http::Method;
use axum::routing::{get, post};

use super::{discovery, introspect, jwks, par, revoke, token, userinfo};
use crate::http::{Access, Route};

const OAUTH_METADATA: &str = "/.well-known/oauth-authorization-server";
const OPENID_METADATA: &str = "/.well-known/openid-configuration";

/// Every route.
pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::document(OPENID_METADATA, get(discovery::configuration)),
        Route::document(OAUTH_METADATA, get(discovery::configuration)),
        Route::document("/jwks", get(jwks::jwks)),
        Route::new("/par", &[Method::POST], Access::Client, post(par::par)).for_pages(),
        Route::new("/token", &[Method::POST], Access::Client, post(token::token)).for_pages(),
        Route::new("/revoke", &[Method::POST], Access::Client, post(revoke::revoke)).for_pages(),
        Route::new("/introspect", &[Method::POST], Access::Client, post(introspect::introspect)),
        Route::new(
            "/userinfo",
            &[Method::GET, Method::HEAD, Method::POST],
            userinfo::ACCESS,
            get(userinfo::userinfo).post(userinfo::userinfo),
        )
        .for_pages(),
    ]
}

/// The metadata documents with the issuer's path behind `/.well-known/…` (RFC 8414 §3.1, §5), for the host's root.
/// `path` is that of the root issuer; where it is empty, its own document already stands there.
pub(crate) fn inserted_routes(path: &str) -> Vec<Route> {
    let documents = [OPENID_METADATA, OAUTH_METADATA];
    let own = documents.iter().filter(|_| !path.is_empty()).map(|document| format!("{document}{path}"));
    let tenants = documents.iter().map(|document| format!("{document}{path}/t/{{tenant}}"));
    own.chain(tenants).map(|path| Route::document(path, get(discovery::configuration))).collect()
}
