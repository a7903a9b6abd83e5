//! The way back in for a user who has forgotten the password: a state machine beside the login, never part of one.
//!
//! Reading order: `ask` (which user? a mail may follow), `link` (the mail's address is opened), `session` (whose link it is,
//! and how far they have come), `pages` (the pages' two handlers); then what the pages do, each as an adapter of the
//! ceremony in `account`: `choose` (a new password), `prove` and `sending` (the second factor), `enrol` (a new one).
//!
//! The secret of the link goes from its address into a cookie at once: no page of ours has it in its address, so it stands
//! in no history, no log and no `Referer` (attack 157). Opening the address changes nothing, for it is scanners that open
//! it first (attack 156); a link is used up by the post that brings a new password.

pub(super) mod ask;
mod choose;
mod enrol;
mod link;
mod pages;
mod prove;
mod reply;
mod sending;
mod session;

use axum::routing::get;

use super::page_request::PAGE;
use crate::http::{Access, Route};

/// The routes.
pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::new("/reset", PAGE, Access::Open, get(ask::show).post(ask::submit)),
        Route::new("/reset/sent", link::NO_FORM, Access::Open, get(ask::sent)),
        Route::new("/reset/link/{link}", link::NO_FORM, Access::Open, get(link::open)),
        Route::new("/reset/{step}", PAGE, Access::Browser, get(pages::show).post(pages::submit)),
    ]
}
