//! The APIs behind the pages: what a page can do, one of these does, for whoever brings the right access token.
//!
//! An access token of this issuer in the `Authorization` header is the only way in, never a cookie; so no other site
//! can make a browser call them, and no form token is needed.

mod account;
mod error;

use crate::http::Route;

/// Every route.
pub(crate) fn routes() -> Vec<Route> {
    account::routes()
}
