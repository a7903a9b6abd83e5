//! The hosted login: owner of `/authorize`, of the pages below `/login/` and of sign-out.
//!
//! Reading order: `authorize` (a request becomes a login), `waiting` (what it costs until it is answered), `engine` (what comes next), `pages` (the pages' two
//! handlers), `steps` (one file each), `upstream` (signing in elsewhere), `finish` (a login becomes a code). `reset` is
//! apart: it leads to a new password, and to no code.

mod authorize;
mod engine;
mod finish;
mod input;
mod login;
mod logout;
mod pages;
mod person;
mod reset;
mod sent;
mod steps;
#[cfg(test)]
mod tests;
mod trust;
mod upstream;
mod visitor;
mod waiting;

use axum::http::Method;
use axum::routing::get;

use crate::http::{Access, Route};

/// What a page answers. HEAD changes nothing, not even what GET would.
const PAGE: &[Method] = &[Method::GET, Method::HEAD, Method::POST];

/// Every route.
pub(crate) fn routes() -> Vec<Route> {
    let mut all = vec![
        Route::new(
            "/authorize",
            &[Method::GET, Method::POST],
            Access::Open,
            get(authorize::authorize).post(authorize::authorize),
        ),
        Route::new(
            "/login/{interaction}/{step}",
            PAGE,
            Access::Browser,
            get(pages::show).post(pages::submit),
        ),
        Route::new(
            "/login/{interaction}/with/{upstream}",
            &[Method::GET],
            Access::Browser,
            get(upstream::depart),
        ),
        Route::new("/login/from/{upstream}", &[Method::GET], Access::Browser, get(upstream::arrive)),
        Route::new("/logout", PAGE, Access::Open, get(logout::logout).post(logout::logout)),
    ];
    all.extend(reset::routes());
    all
}
