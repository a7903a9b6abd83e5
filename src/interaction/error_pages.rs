//! The answers to requests that lead to no page of a login: errors of applications, of forms, of logins that are over, and ours.

use std::convert::Infallible;

use axum::body::Bytes;
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;

use super::page_request::PageRequest;
use crate::audit::Entry;
use crate::crypto::random;
use crate::domain::audit::Actor;
use crate::domain::client::Client;
use crate::domain::error::OAuthError;
use crate::domain::event::Event;
use crate::domain::ids::{ClientId, Reference};
use crate::http::{ContentSecurity, query_value, see_other, with_query};
use crate::protocol::authorize::{AuthorizationResponse, AuthorizeError, ResponseDelivery, ResponseTarget};
use crate::protocol::par;
use crate::provider::Internal;
use crate::views::{Body, BusyView, ExpiredView, FormPostView, RefusalReason, RefusedView, WayBack};

impl PageRequest {
    /// Tells the observer of a refusal; returns the reference that the user may quote.
    pub(super) fn refuse(&self, error: &'static str, hint: Option<String>) -> Reference {
        let reference = random::reference();
        let issuer = self.issuer.id.clone();
        let event = Event::Refused { issuer, error, hint, reference: reference.clone() };
        self.refused(Entry::new(self.idp.now(), Actor::Anonymous, event));
        reference
    }

    /// Records a refusal of a request that proved nothing.
    pub(super) fn refused(&self, refusal: Entry) {
        self.idp.refuse(refusal.with_network(self.network.as_deref()));
    }

    /// Answers an error of an authorization request: to the user or to the client, depending on its variant.
    pub(super) fn answer_error(&self, error: AuthorizeError) -> Response {
        match error {
            AuthorizeError::Show(error) => self.faulty(error),
            AuthorizeError::Redirect(target, error) => self.send_back(target, &error),
            AuthorizeError::Begun(_) => self.faulty(par::void()),
            AuthorizeError::Internal(error) => self.failed(&error),
        }
    }

    fn send_back(&self, target: ResponseTarget, error: &OAuthError) -> Response {
        self.refuse(error.code.as_str(), error.hint.clone());
        match AuthorizationResponse::error(&self.issuer, target, error).deliver() {
            ResponseDelivery::Redirect(address) => see_other(&address),
            ResponseDelivery::FormPost { action, fields } => {
                let fields = fields.into_iter().map(|(name, value)| (name.into(), value)).collect();
                let body = Body::FormPost(FormPostView { application: String::new(), action, fields });
                self.page(StatusCode::OK, &self.unknown_reader(), body, ContentSecurity::Leaving)
            }
        }
    }

    /// The page for a request that is the application's fault.
    pub(super) fn faulty(&self, error: OAuthError) -> Response {
        let reference = self.refuse(error.code.as_str(), error.hint);
        let refused = RefusedView {
            refusal: RefusalReason::Request,
            detail: Some(error.description),
            reference: Some(reference),
            back: None,
        };
        self.notice(StatusCode::BAD_REQUEST, Body::Refused(refused))
    }

    /// The page for a form that was not sent from a page of ours.
    pub(super) fn foreign_form(&self) -> Response {
        let reference = self.refuse("foreign_form", None);
        let refused = RefusedView {
            refusal: RefusalReason::Form,
            detail: None,
            reference: Some(reference),
            back: None,
        };
        self.notice(StatusCode::FORBIDDEN, Body::Refused(refused))
    }

    /// The page for a failure of ours, or for a store that is busy.
    pub(super) fn failed(&self, error: &Internal) -> Response {
        let body = match error {
            Internal::Busy(_) | Internal::Unchanged(_) => Body::Busy(BusyView { retry: None }),
            Internal::Fault(reference) => Body::Refused(RefusedView {
                refusal: RefusalReason::Internal,
                detail: None,
                reference: Some(reference.clone()),
                back: None,
            }),
        };
        let mut response = error.mark(self.notice(error.status(), body));
        if matches!(error, Internal::Unchanged(_)) {
            // How long the page of a GET would have been is not known.
            let nothing = futures_util::stream::empty::<Result<Bytes, Infallible>>();
            *response.body_mut() = axum::body::Body::from_stream(nothing);
        }
        response
    }

    /// The page for a login that is over or another browser's: one page for both, so that it does not tell which.
    pub(super) async fn expired(&self, status: StatusCode) -> Response {
        let reference = self.refuse("login_expired", None);
        let back = self.way_back().await;
        self.notice(status, Body::Expired(ExpiredView { back, reference: Some(reference) }))
    }

    /// The page address names the client, so that the way back is known even when nothing else is.
    pub(super) async fn way_back(&self) -> Option<WayBack> {
        let id = query_value(&self.uri, "client_id")?;
        let client = self.idp.catalogue().client(&self.issuer.id, &ClientId::new(id)).await.ok()??;
        Some(client).filter(|client| !client.disabled).and_then(|client| self.way_back_to(&client))
    }

    /// Where a new login at this client can begin (OpenID Connect Core §4), or where the client tells of itself.
    pub(super) fn way_back_to(&self, client: &Client) -> Option<WayBack> {
        let locale = self.unknown_reader().locale;
        let begin = client.metadata.initiate_login_uri.as_ref();
        let begin = begin.map(|uri| with_query(uri, [("iss", self.issuer.url.to_string())]));
        let address = begin.or_else(|| client.metadata.client_uri_in(locale).map(str::to_owned))?;
        Some(WayBack { name: client.name_in(locale).to_owned(), address })
    }
}

/// Adds the header `Retry-After`.
pub(super) fn retry_after(mut response: Response, seconds: i64) -> Response {
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds.max(1)));
    response
}
