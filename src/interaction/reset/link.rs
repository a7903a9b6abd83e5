//! The address in the mail: its secret goes into a cookie, and the browser on to the page.
//!
//! Nothing is looked up here. Whether the link is good, the page says, in the same words for every link that is not.

use axum::extract::Path;
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderValue, Method};
use axum::response::Response;

use super::holder::void;
use super::pages;
use crate::crypto::secret::{self, Secret};
use crate::http::{Cookies, cookies};
use crate::interaction::finish::see_other;
use crate::interaction::visitor::PageRequest;

pub(super) const NO_FORM: &[Method] = &[Method::GET, Method::HEAD];

/// The parts of the address. A tenant's issuer has its domain in front.
#[derive(serde::Deserialize)]
pub(super) struct Address {
    link: String,
}

/// `GET /reset/link/{link}`
pub(super) async fn open(visitor: PageRequest, Path(Address { link }): Path<Address>) -> Response {
    if !secret::is_shaped(&link) {
        return void(&visitor);
    }
    let mut response = see_other(&pages::address(&visitor, pages::PASSWORD));
    response.headers_mut().extend(keep(&visitor, &Secret::new(link)).map(|cookie| (SET_COOKIE, cookie)));
    response
}

/// `Set-Cookie` for the secret of a link or of a ticket.
pub(super) fn keep(visitor: &PageRequest, secret: &Secret) -> Option<HeaderValue> {
    cookies::set(&visitor.issuer, Cookies::RESET, secret)
}
