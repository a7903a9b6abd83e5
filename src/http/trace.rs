//! One span for each request, so that every line of the log says what it belongs to.
//!
//! A span names the method, the route as the table has it, the issuer, the status, and the *login*: one id that runs
//! through all requests of one login, from `/authorize` over its pages to the token endpoint, and on to whatever is
//! refreshed. It is the id of the grant that the login leads to, drawn when the login begins: random, written into access
//! tokens anyway, and no credential. The id in the addresses of the pages is not logged, because it alone identifies a
//! request that was posted without cookies until the first page is open.
//!
//! Nothing that was sent or typed is recorded: paths hold ids, queries hold codes.

use axum::http::StatusCode;
use tracing::field::Empty;
use tracing::{Level, Span};

use crate::domain::ids::GrantId;
use crate::domain::issuer::Issuer;
use crate::provider::InFlight;

/// The span of a request. Public documents have one only where every detail is wanted: nothing happens while they are
/// answered, and to put their span into words costs as much as to answer them.
pub(crate) fn span(passing: &InFlight<'_>) -> Span {
    macro_rules! span {
        ($level:expr) => {
            tracing::span!(
                target: "vestibule::request",
                $level,
                "request",
                method = passing.method(),
                route = passing.route(),
                issuer = Empty,
                login = Empty,
                status = Empty,
            )
        };
    }
    if passing.is_document() { span!(Level::DEBUG) } else { span!(Level::INFO) }
}

/// The request is for this issuer.
pub(crate) fn issuer(issuer: &Issuer) {
    Span::current().record("issuer", issuer.url.as_str());
}

/// The request belongs to the login with this grant.
pub(crate) fn login(grant: &GrantId) {
    Span::current().record("login", grant.as_str());
}

/// The request was answered.
pub(crate) fn answered(span: &Span, status: StatusCode) {
    span.record("status", status.as_u16());
    tracing::debug!(target: "vestibule::request", parent: span, "answered");
}
