//! Whoever asks for a page: which issuer, which browser, which languages; and the pages that need no login.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequestParts, OriginalUri};
use axum::http::header::{ACCEPT_LANGUAGE, RETRY_AFTER, USER_AGENT};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::response::Response;

use crate::crypto::random;
use crate::crypto::secret::Secret;
use crate::domain::client::Client;
use crate::domain::error::OAuthError;
use crate::domain::event::Event;
use crate::domain::ids::{ClientId, Hash, Reference};
use crate::domain::issuer::Issuer;
use crate::domain::locale::Locale;
use crate::domain::session;
use crate::domain::tenant::Tenant;
use crate::domain::user::User;
use crate::http::{self, ClientAddress, ContentSecurity, Cookies, CurrentIssuer, PageIssuer, cookies};
use crate::i18n;
use crate::protocol::authorize::respond::with_query;
use crate::provider::{Idp, Internal};
use crate::views::{Body, Brand, Busy, Expired, Frame, Page, Refusal, Refused, WayBack};

/// One request of one browser.
#[derive(Clone)]
pub(super) struct PageRequest {
    pub(super) idp: Idp,
    pub(super) issuer: Arc<Issuer>,
    /// The tenant that the issuer is fixed to.
    pub(super) tenant: Option<Arc<Tenant>>,
    pub(super) headers: HeaderMap,
    /// Where the request went, with everything a host application put in front.
    pub(super) uri: Uri,
    pub(super) network: Option<String>,
    /// The languages that pages outside of a login are asked for in.
    pub(super) ui_locales: Vec<Locale>,
}

/// Whom a page is drawn for, as far as that is known.
pub(super) struct Reader<'a> {
    pub(super) locale: Locale,
    pub(super) user: Option<&'a User>,
    pub(super) tenant: Option<&'a Tenant>,
}

impl FromRequestParts<Idp> for PageRequest {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, idp: &Idp) -> Result<Self, Response> {
        let PageIssuer(CurrentIssuer { issuer, tenant }) = PageIssuer::from_request_parts(parts, idp).await?;
        let Ok(address) = ClientAddress::from_request_parts(parts, idp).await;
        let Ok(OriginalUri(uri)) = OriginalUri::from_request_parts(parts, idp).await;
        let headers = parts.headers.clone();
        let network = address.network();
        // HEAD runs what GET runs, and changes nothing.
        let idp = if parts.method == Method::HEAD { idp.reading() } else { idp.clone() };
        Ok(Self { idp, issuer, tenant, headers, uri, network, ui_locales: Vec::new() })
    }
}

impl PageRequest {
    pub(super) fn cookies(&self) -> Cookies<'_> {
        Cookies::new(&self.issuer, &self.headers)
    }

    /// The browser, by the hash of its cookie.
    pub(super) fn browser(&self) -> Option<Hash> {
        self.cookies().hash(Cookies::BROWSER)
    }

    /// What the browser calls itself: printable characters, not too many.
    pub(super) fn user_agent(&self) -> Option<String> {
        let name = self.headers.get(USER_AGENT).and_then(|value| value.to_str().ok())?;
        Some(name.chars().filter(|c| !c.is_control()).take(session::USER_AGENT).collect())
    }

    /// The browser, and the `Set-Cookie` that makes it known if it was never here.
    pub(super) fn known_browser(&self) -> (Hash, Option<HeaderValue>) {
        if let Some(hash) = self.browser() {
            return (hash, None);
        }
        let secret = Secret::generate();
        (secret.hash(), cookies::set(&self.issuer, Cookies::BROWSER, &secret))
    }

    /// The language, given what else is known about the reader.
    pub(super) fn locale(
        &self,
        ui_locales: &[Locale],
        user: Option<Locale>,
        tenant: Option<Locale>,
    ) -> Locale {
        i18n::negotiate(&i18n::Wishes {
            ui_locales,
            cookie: self.cookies().value(Cookies::LOCALE).and_then(Locale::from_tag),
            user,
            accept_language: self.headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()),
            tenant: tenant.or_else(|| self.tenant.as_ref().map(|tenant| tenant.locale)),
        })
    }

    /// The language that this browser's cookies tell: that of its last login's pages, or the one chosen with the switch.
    pub(super) fn locale_shown(&self) -> Option<Locale> {
        let cookies = self.cookies();
        let tag = cookies.value(Cookies::SHOWN_LOCALE).or_else(|| cookies.value(Cookies::LOCALE));
        tag.and_then(Locale::from_tag)
    }

    /// Remembers the language of a login's page, unless the browser would get the same one anyway.
    pub(super) fn remember_locale(&self, locale: Locale) -> Option<HeaderValue> {
        let known: Vec<Locale> = self.locale_shown().into_iter().collect();
        let is_news = self.locale(&known, None, None) != locale;
        is_news.then(|| cookies::keep(&self.issuer, Cookies::SHOWN_LOCALE, locale.tag())).flatten()
    }

    /// Whoever asks, while nobody is known.
    pub(super) fn stranger(&self) -> Reader<'static> {
        Reader { locale: self.locale(&self.ui_locales, None, None), user: None, tenant: None }
    }

    /// Draws a page.
    pub(super) fn page(
        &self,
        status: StatusCode,
        reader: &Reader<'_>,
        body: Body,
        security: ContentSecurity,
    ) -> Response {
        let base = self.issuer.url.path().to_owned();
        let here = self.uri.path_and_query().map_or_else(|| self.uri.path(), |path| path.as_str()).to_owned();
        let tenant = reader.tenant.or(self.tenant.as_deref());
        let own = reader.user.and_then(User::zone);
        let zone = own.or(tenant.map(|tenant| tenant.time_zone)).unwrap_or_default();
        let brand = tenant.map(|tenant| Brand::of(tenant, &self.issuer));
        let page = Page { frame: Frame { locale: reader.locale, zone, base, here, tenant: brand }, body };
        http::page(&self.idp, status, &page, security)
    }

    /// Draws a page that belongs to no login.
    pub(super) fn notice(&self, status: StatusCode, body: Body) -> Response {
        self.page(status, &self.stranger(), body, ContentSecurity::Own)
    }

    /// Tells the observer of a refusal, and gives it a name that the user may quote.
    pub(super) fn refuse(&self, error: &'static str, hint: Option<String>) -> Reference {
        let reference = random::reference();
        let issuer = self.issuer.id.clone();
        self.idp.observe(&Event::Refused { issuer, error, hint, reference: reference.clone() });
        reference
    }

    /// A request that is the application's fault.
    pub(super) fn faulty(&self, error: OAuthError) -> Response {
        let reference = self.refuse(error.code.as_str(), error.hint);
        let refused = Refused {
            refusal: Refusal::Request,
            detail: Some(error.description),
            reference: Some(reference),
            back: None,
        };
        self.notice(StatusCode::BAD_REQUEST, Body::Refused(refused))
    }

    /// A form that is not from a page of ours.
    pub(super) fn foreign_form(&self) -> Response {
        let reference = self.refuse("foreign_form", None);
        let refused =
            Refused { refusal: Refusal::Form, detail: None, reference: Some(reference), back: None };
        self.notice(StatusCode::FORBIDDEN, Body::Refused(refused))
    }

    /// A failure of ours, or a store that is busy.
    pub(super) fn failed(&self, error: &Internal) -> Response {
        let body = match error {
            Internal::Busy(_) | Internal::Unchanged(_) => Body::Busy(Busy { retry: None }),
            Internal::Fault(reference) => Body::Refused(Refused {
                refusal: Refusal::Internal,
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

    /// A login that is over, or another browser's: one page for both, so that nobody learns which.
    pub(super) async fn expired(&self, status: StatusCode) -> Response {
        let reference = self.refuse("login_expired", None);
        let back = self.way_back().await;
        self.notice(status, Body::Expired(Expired { back, reference: Some(reference) }))
    }

    /// The page address names the client, so that the way back is known even when nothing else is.
    pub(super) async fn way_back(&self) -> Option<WayBack> {
        let query = self.uri.query().unwrap_or_default();
        let (_, id) = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "client_id")?;
        let client = self.idp.catalogue().client(&self.issuer.id, &ClientId::new(id)).await.ok()??;
        Some(client).filter(|client| !client.disabled).and_then(|client| self.way_back_to(&client))
    }

    /// Where a new login at this client can begin (OpenID Connect Core §4), or where the client tells of itself.
    pub(super) fn way_back_to(&self, client: &Client) -> Option<WayBack> {
        let locale = self.stranger().locale;
        let begin = client.metadata.initiate_login_uri.as_ref();
        let begin = begin.map(|uri| with_query(uri, [("iss", self.issuer.url.to_string())]));
        let address = begin.or_else(|| client.metadata.client_uri_in(locale).map(str::to_owned))?;
        Some(WayBack { name: client.name_in(locale).to_owned(), address })
    }
}

/// "Wait" in a header too.
pub(super) fn retry_after(mut response: Response, seconds: i64) -> Response {
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds.max(1)));
    response
}
