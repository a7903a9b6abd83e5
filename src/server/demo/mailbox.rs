//! A page with the messages that the demo has sent, because its people have no real mailboxes and telephones.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;

use crate::domain::message::Channel;
use crate::http::secured;
use crate::notify::{Mailbox, Sent};
use crate::provider::Idp;

const STYLE: &str = include_str!("../../../templates/demo/mailbox.css");

/// The page lies on the provider's port and belongs to no issuer.
pub(super) const PATH: &str = "/mailbox";

/// The page and its style sheet.
pub(super) fn router(idp: &Idp, mailbox: Mailbox) -> Router {
    Router::new()
        .route(PATH, get(page))
        .route("/mailbox.css", get(|| async { ([(CONTENT_TYPE, "text/css")], STYLE) }))
        .with_state((idp.clone(), mailbox))
}

#[derive(Template)]
#[template(path = "demo/mailbox.html")]
struct MailboxPage {
    /// Newest first.
    sent: Vec<Sent>,
}

async fn page(State((idp, mailbox)): State<(Idp, Mailbox)>) -> Response {
    let sent = mailbox.all().into_iter().rev().collect();
    // Writing into a String cannot fail, and no filter of ours can.
    let html = Html(MailboxPage { sent }.render().unwrap_or_default());
    let policy =
        "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    secured(idp.settings(), ([(CONTENT_SECURITY_POLICY, policy)], html).into_response())
}
