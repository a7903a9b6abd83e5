//! The address in the mail: its secret goes into a cookie, and the browser on to the page.
//!
//! Nothing is looked up here. Whether the link is good, the page says, in the same words for every link that is not.

use axum::extract::Path;
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderValue, Method};
use axum::response::Response;

use super::reply::PASSWORD;
use super::session::void;
use crate::crypto::secret::{self, Secret};
use crate::http::{Cookies, cookies, see_other};
use crate::interaction::page_request::PageRequest;

pub(super) const NO_FORM: &[Method] = &[Method::GET, Method::HEAD];

/// The parts of the address. A tenant's issuer has its domain in front.
#[derive(serde::Deserialize)]
pub(super) struct LinkAddress {
    link: String,
}

/// `GET /reset/link/{link}`
pub(super) async fn open(
    page_request: PageRequest,
    Path(LinkAddress { link }): Path<LinkAddress>,
) -> Response {
    if !secret::is_shaped(&link) {
        return void(&page_request);
    }
    let mut response = see_other(&page_request.reset_address(PASSWORD));
    response.headers_mut().extend(keep(&page_request, &Secret::new(link)).map(|cookie| (SET_COOKIE, cookie)));
    response
}

/// `Set-Cookie` for the secret of a link or of a ticket.
pub(super) fn keep(page_request: &PageRequest, secret: &Secret) -> Option<HeaderValue> {
    cookies::set(&page_request.issuer, Cookies::RESET, secret)
}
