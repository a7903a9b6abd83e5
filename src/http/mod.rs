//! HTTP manners that every endpoint shares: routes, the issuer of a request, cookies, headers, error responses.

mod address;
mod assets;
pub(crate) mod cookies;
mod cors;
mod csrf;
mod documents;
mod error;
mod guard;
mod issuer;
mod language;
mod reply;
mod route;
pub(crate) mod trace;
mod url;

pub(crate) use address::ClientAddress;
pub(crate) use cookies::Cookies;
pub(crate) use csrf::{form_token, is_foreign_post, is_form_token};
pub(crate) use documents::IfNoneMatch;
pub use guard::BearerGuard;
pub(crate) use issuer::{CurrentIssuer, PageIssuer};
pub(crate) use reply::{ContentSecurity, page, secured};
pub use route::Access;
pub(crate) use route::Route;
pub use route::RouteInfo;
pub(crate) use url::{query_value, see_other, with_query};

use axum::http::Method;
use axum::routing::get;

/// The routes that belong to pages as such.
pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::new("/assets/{file}", &[Method::GET, Method::HEAD], Access::Open, get(assets::file)),
        Route::new("/language", &[Method::GET], Access::Open, get(language::switch)),
    ]
}
