//! A browser's request for a page: its issuer, browser and languages; and the page that is drawn for it.

use std::sync::Arc;

use axum::extract::{FromRequestParts, OriginalUri};
use axum::http::header::{ACCEPT_LANGUAGE, USER_AGENT};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::response::Response;

use crate::crypto::secret::Secret;
use crate::domain::ids::Hash;
use crate::domain::issuer::Issuer;
use crate::domain::locale::Locale;
use crate::domain::session;
use crate::domain::tenant::Tenant;
use crate::domain::user::User;
use crate::http::{self, ClientAddress, ContentSecurity, Cookies, CurrentIssuer, PageIssuer, cookies};
use crate::i18n;
use crate::provider::Idp;
use crate::views::{Body, Brand, Frame, Page};

/// The methods of a page. HEAD changes nothing, not even what GET would.
pub(super) const PAGE: &[Method] = &[Method::GET, Method::HEAD, Method::POST];

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

/// The reader of a page, as far as that is known.
pub(super) struct PageReader<'a> {
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
        i18n::negotiate(&i18n::LanguagePreferences {
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

    /// The reader while no user is known.
    pub(super) fn unknown_reader(&self) -> PageReader<'static> {
        PageReader { locale: self.locale(&self.ui_locales, None, None), user: None, tenant: None }
    }

    /// Draws a page.
    pub(super) fn page(
        &self,
        status: StatusCode,
        reader: &PageReader<'_>,
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
        http::page(self.idp.theme(), status, &page, security)
    }

    /// Draws a page that belongs to no login.
    pub(super) fn notice(&self, status: StatusCode, body: Body) -> Response {
        self.page(status, &self.unknown_reader(), body, ContentSecurity::Own)
    }
}
