//! What every endpoint needs, whatever it does: the shared handle, the issuer asked, cookies, headers, limits.

mod address;
mod assets;
mod client_keys;
pub(crate) mod cookies;
pub(crate) mod cors;
mod csrf;
mod documents;
mod error;
mod figures;
mod issuer;
mod key_use;
mod keyring;
mod language;
mod limiter;
mod limits;
mod messages;
mod pairwise;
mod progress;
mod reply;
mod rotation;
mod route;
mod scopes;
mod state;
pub(crate) mod trace;
mod traffic;

pub(crate) use address::ClientAddress;
pub(crate) use client_keys::{ClientKeysError, PublishedKeys};
pub(crate) use cookies::Cookies;
pub(crate) use csrf::{form_token, is_foreign_post, is_form_token};
pub(crate) use documents::{Document, Documents, IfNoneMatch};
pub(crate) use error::Internal;
pub use figures::Figures;
pub(crate) use issuer::{CurrentIssuer, PageIssuer};
pub(crate) use keyring::Keyring;
pub(crate) use limits::Limits;
pub use messages::SendFailed;
pub(crate) use progress::Lanes;
pub(crate) use reply::{ContentSecurity, page, secured};
pub use rotation::{KeyStatus, KeysFailed, Rotated, Rotation};
pub use route::Access;
pub(crate) use route::Route;
pub use route::RouteInfo;
pub(crate) use scopes::Scopes;
pub use state::Idp;
pub(crate) use state::Parts;
pub use traffic::Answers;
pub(crate) use traffic::Traffic;

pub use crate::crypto::password::HashLoad;

use axum::http::Method;
use axum::routing::get;

/// The routes that belong to pages as such.
pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::new("/assets/{file}", &[Method::GET, Method::HEAD], Access::Open, get(assets::file)),
        Route::new("/language", &[Method::GET], Access::Open, get(language::switch)),
    ]
}
