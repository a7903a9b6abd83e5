//! The hosted login: owner of `/authorize`, of the pages below `/login/` and of sign-out.
//!
//! Inner floors, lowest first; a file imports only lower ones:
//!
//! 1. `engine` (what comes next), `login_user` (whose login it is), `page_request` (which browser asks, at which issuer)
//! 2. `addresses`, `error_pages`, `code_notice` (what a page says of a code that was sent)
//! 3. `ceremony_pages` (the pages that a login and a reset share), `login` (one request's view of a login in progress)
//! 4. `step`: what all steps share
//! 5. `steps`: one file each; `reset`: the way to a new password, which leads to no code
//! 6. `waiting` (what a login costs until it is answered)
//! 7. the routes: `authorize` (a request becomes a login), `pages` (the pages' two handlers), `upstream` (signing in
//!    elsewhere), `logout`

mod addresses;
mod authorize;
mod ceremony_pages;
mod code_notice;
mod engine;
mod error_pages;
mod login;
mod login_user;
mod logout;
mod page_request;
mod pages;
mod reset;
mod step;
mod steps;
#[cfg(test)]
mod tests;
mod upstream;
mod waiting;

use axum::http::Method;
use axum::routing::get;

use self::page_request::PAGE;
use crate::http::{Access, Route};

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
