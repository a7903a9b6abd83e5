//! Which issuer a request was sent to. A request selects among the issuers that exist; it never names one.

use std::sync::Arc;

use axum::Json;
use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::header::{
    ACCEPT, ACCEPT_LANGUAGE, ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, HOST, HeaderName, VARY,
};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::reply::{ContentSecurity, page};
use super::trace;
use crate::domain::issuer::{Issuer, IssuerAddress, IssuerUrl};
use crate::domain::settings::Settings;
use crate::domain::tenant::Tenant;
use crate::i18n;
use crate::provider::Idp;
use crate::provider::Internal;
use crate::views::{Page, Theme};

/// The issuer asked, and its tenant if it is fixed to one.
#[derive(Clone, Debug)]
pub(crate) struct CurrentIssuer {
    /// The issuer.
    pub(crate) issuer: Arc<Issuer>,
    /// The tenant of a tenant's issuer.
    pub(crate) tenant: Option<Arc<Tenant>>,
}

/// The issuer asked for a page: an unknown tenant is answered with a page, in the reader's language.
#[derive(Clone, Debug)]
pub(crate) struct PageIssuer(pub(crate) CurrentIssuer);

/// Why a request selects no issuer.
pub(crate) enum Nowhere {
    /// 421: a host that no issuer owns (RFC 9110 §15.5.20).
    Misdirected(Misdirected),
    /// 404: no such tenant; every unknown name gets the same answer (SEED0-1).
    Unknown,
    /// The store did not answer.
    Internal(Internal),
}

impl FromRequestParts<Idp> for CurrentIssuer {
    type Rejection = Nowhere;

    async fn from_request_parts(parts: &mut Parts, idp: &Idp) -> Result<Self, Nowhere> {
        let asked = authority(&parts.uri, &parts.headers);
        let misdirected =
            || Nowhere::Misdirected(Misdirected::new(&idp.settings().issuer, asked, &parts.headers));
        let Some(host) = asked.and_then(|asked| IssuerAddress::of_authority(&idp.settings().issuer, asked))
        else {
            return Err(misdirected());
        };
        let found = idp.catalogue().issuer(&host).await.map_err(Internal::from)?.ok_or_else(misdirected)?;
        let params = RawPathParams::from_request_parts(parts, idp).await;
        // A path that is not text names something that does not exist, and not the root issuer.
        let params = params.map_err(|_| Nowhere::Unknown)?;
        let issuer = match params.iter().find(|(name, _)| *name == "tenant") {
            None => found,
            Some((_, domain)) => {
                let address = IssuerAddress::of_path(domain).filter(|_| host == IssuerAddress::Root);
                let address = address.ok_or(Nowhere::Unknown)?;
                idp.catalogue().issuer(&address).await.map_err(Internal::from)?.ok_or(Nowhere::Unknown)?
            }
        };
        trace::issuer(&issuer);
        let tenant = match &issuer.tenant {
            Some(id) => idp.catalogue().tenant(id).await.map_err(Internal::from)?,
            None => None,
        };
        Ok(Self { issuer, tenant })
    }
}

impl FromRequestParts<Idp> for PageIssuer {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, idp: &Idp) -> Result<Self, Response> {
        match CurrentIssuer::from_request_parts(parts, idp).await {
            Ok(current) => Ok(Self(current)),
            Err(Nowhere::Unknown) => Err(not_found_page(idp.theme(), idp.settings(), &parts.headers)),
            Err(other) => Err(other.into_response()),
        }
    }
}

/// The authority the request was sent to: HTTP/2 puts it into the URI. `None` if there are two `Host` headers.
fn authority<'r>(uri: &'r Uri, headers: &'r HeaderMap) -> Option<&'r str> {
    if let Some(authority) = uri.authority() {
        return Some(authority.as_str());
    }
    let mut hosts = headers.get_all(HOST).into_iter();
    let host = hosts.next()?.to_str().ok()?;
    hosts.next().is_none().then_some(host)
}

/// The page for an unknown address, in the visitor's language and without branding.
fn not_found_page(theme: &dyn Theme, settings: &Settings, headers: &HeaderMap) -> Response {
    let accept_language = headers.get(ACCEPT_LANGUAGE).and_then(|header| header.to_str().ok());
    let locale = i18n::negotiate(&i18n::LanguagePreferences { accept_language, ..Default::default() });
    let not_found = Page::not_found(locale, settings.issuer.path());
    page(theme, StatusCode::NOT_FOUND, &not_found, ContentSecurity::Own)
}

/// What a 421 says: which issuer to use. The body never repeats the host that was asked.
pub(crate) struct Misdirected {
    /// The root issuer.
    issuer: IssuerUrl,
    /// For the log; `None`: no readable host, or more than one.
    asked: Option<String>,
    as_json: bool,
}

impl Misdirected {
    /// The longest name that DNS knows, and a port.
    const LONGEST: usize = 260;

    fn new(issuer: &IssuerUrl, asked: Option<&str>, headers: &HeaderMap) -> Self {
        let mut accepted = headers.get_all(ACCEPT).into_iter().filter_map(|value| value.to_str().ok());
        Self {
            issuer: issuer.clone(),
            asked: asked.map(|host| host.chars().take(Self::LONGEST).collect()),
            as_json: accepted.any(|value| value.to_ascii_lowercase().contains("application/json")),
        }
    }
}

/// Answers on the way to no issuer hold nothing of anybody, so every page may read them.
const FOR_EVERYBODY: [(HeaderName, &str); 3] =
    [(ACCESS_CONTROL_ALLOW_ORIGIN, "*"), (CACHE_CONTROL, "no-store"), (VARY, "Accept")];

impl IntoResponse for Misdirected {
    fn into_response(self) -> Response {
        let issuer = self.issuer.as_str();
        // In the Debug form, which escapes whatever could break a line of the log.
        tracing::warn!(
            host = ?self.asked.as_deref().unwrap_or_default(),
            issuer,
            "a request for a host that is no issuer: pass the Host header on, or add the host to a tenant's hosts"
        );
        let text = format!("No issuer has this host. Use {issuer}");
        let body = if self.as_json {
            let members =
                json!({ "error": "misdirected_request", "error_description": text, "issuer": issuer });
            Json(members).into_response()
        } else {
            format!("{text}\n").into_response()
        };
        (StatusCode::MISDIRECTED_REQUEST, FOR_EVERYBODY, body).into_response()
    }
}

impl From<Internal> for Nowhere {
    fn from(error: Internal) -> Self {
        Self::Internal(error)
    }
}

/// As programs read it; see [`PageIssuer`] for pages.
impl IntoResponse for Nowhere {
    fn into_response(self) -> Response {
        match self {
            Self::Misdirected(misdirected) => misdirected.into_response(),
            Self::Unknown => {
                let body = json!({ "error": "not_found", "error_description": "there is no such issuer" });
                (StatusCode::NOT_FOUND, FOR_EVERYBODY, Json(body)).into_response()
            }
            Self::Internal(error) => error.into_response(),
        }
    }
}
