//! Which issuer a request was sent to. A request selects among the issuers that exist; it never names one.

use std::sync::Arc;

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::header::{ACCEPT_LANGUAGE, HOST};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};

use super::error::Internal;
use super::reply::{ContentSecurity, page};
use super::state::Idp;
use super::trace;
use crate::domain::issuer::{Address, Issuer};
use crate::domain::tenant::Tenant;
use crate::i18n;
use crate::views::Page;

/// The issuer asked, and its tenant if it is fixed to one.
#[derive(Clone, Debug)]
pub(crate) struct CurrentIssuer {
    /// The issuer.
    pub(crate) issuer: Arc<Issuer>,
    /// The tenant of a tenant's issuer.
    pub(crate) tenant: Option<Arc<Tenant>>,
}

/// Nobody's address.
pub(crate) enum Nowhere {
    /// 421: a host name that no issuer owns (RFC 9110 §15.5.20).
    Misdirected,
    /// 404: no such tenant; every unknown name gets the same answer, in the visitor's language (SEED0-1).
    Unknown(Box<Response>),
    /// The store did not answer.
    Internal(Internal),
}

impl FromRequestParts<Idp> for CurrentIssuer {
    type Rejection = Nowhere;

    async fn from_request_parts(parts: &mut Parts, idp: &Idp) -> Result<Self, Nowhere> {
        let authority = authority(&parts.uri, &parts.headers).ok_or(Nowhere::Misdirected)?;
        let params = RawPathParams::from_request_parts(parts, idp).await;
        let unknown = || Nowhere::Unknown(Box::new(unknown(idp, &parts.headers)));
        // A path that is not text names something that does not exist, and not the root issuer.
        let Ok(params) = params else { return Err(unknown()) };
        let named = params.iter().find(|(name, _)| *name == "tenant");
        let tenant = named.map(|(_, value)| value);
        let Some(address) = Address::of(&idp.settings().issuer, &authority, tenant) else {
            return Err(if tenant.is_some() { unknown() } else { Nowhere::Misdirected });
        };
        let found =
            idp.catalogue().issuer(&address).await.map_err(|error| Nowhere::Internal(error.into()))?;
        let Some(issuer) = found else {
            return Err(if matches!(address, Address::Host(_)) { Nowhere::Misdirected } else { unknown() });
        };
        trace::issuer(&issuer);
        let tenant = match &issuer.tenant {
            Some(id) => idp.catalogue().tenant(id).await.map_err(|error| Nowhere::Internal(error.into()))?,
            None => None,
        };
        Ok(Self { issuer, tenant })
    }
}

/// The authority the request was sent to: HTTP/2 puts it into the URI. Two `Host` headers name nobody.
fn authority(uri: &Uri, headers: &HeaderMap) -> Option<String> {
    if let Some(authority) = uri.authority() {
        return Some(authority.as_str().to_owned());
    }
    let mut hosts = headers.get_all(HOST).into_iter();
    let host = hosts.next()?.to_str().ok()?;
    hosts.next().is_none().then(|| host.to_owned())
}

/// In the visitor's language and in nobody's colours.
fn unknown(idp: &Idp, headers: &HeaderMap) -> Response {
    let accept_language = headers.get(ACCEPT_LANGUAGE).and_then(|header| header.to_str().ok());
    let locale = i18n::negotiate(&i18n::Wishes { accept_language, ..Default::default() });
    let not_found = Page::not_found(locale, idp.settings().issuer.path());
    page(idp, StatusCode::NOT_FOUND, &not_found, ContentSecurity::Own)
}

impl IntoResponse for Nowhere {
    fn into_response(self) -> Response {
        match self {
            Self::Misdirected => StatusCode::MISDIRECTED_REQUEST.into_response(),
            Self::Unknown(page) => *page,
            Self::Internal(error) => error.into_response(),
        }
    }
}
