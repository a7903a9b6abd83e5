//! Answers that browsers show, and the headers that every answer carries.

use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, VARY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use super::state::Idp;
use crate::domain::redirect_uri::RedirectUri;
use crate::views::Page;

/// Where the forms of a page may lead. Browsers hold redirects after a post against `form-action` too, so a login
/// page must name the client it will return to.
#[derive(Clone, Debug, Default)]
pub(crate) struct ContentSecurity {
    form_action: Option<String>,
}

impl ContentSecurity {
    /// Forms lead to this issuer only.
    pub(crate) const fn own() -> Self {
        Self { form_action: None }
    }

    /// Forms lead to this issuer and, in the end, to this redirect URI.
    pub(crate) fn towards(redirect_uri: &str) -> Self {
        let scheme = || redirect_uri.split_once(':').map(|(scheme, _)| format!("{scheme}:"));
        Self { form_action: RedirectUri::origin(redirect_uri).or_else(scheme) }
    }

    /// `image`: the address of the application's own logo, which stays where it is.
    fn header(&self, image: Option<&str>) -> Option<HeaderValue> {
        let client = self.form_action.as_deref().unwrap_or_default();
        let image = image.and_then(RedirectUri::origin).unwrap_or_default();
        HeaderValue::try_from(format!(
            "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' {image}; form-action 'self' {client}; \
             base-uri 'none'; frame-ancestors 'none'"
        ))
        .ok()
    }
}

/// A rendered page as an answer.
pub(crate) fn page(idp: &Idp, status: StatusCode, page: &Page, security: &ContentSecurity) -> Response {
    let html = idp.theme().render(page).into_string();
    let mut response = (status, axum::response::Html(html)).into_response();
    let headers = response.headers_mut();
    if let Some(policy) = security.header(page.body.foreign_image()) {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    if let Ok(tag) = HeaderValue::try_from(page.frame.locale.tag()) {
        headers.insert(HeaderName::from_static("content-language"), tag);
    }
    headers.insert(VARY, HeaderValue::from_static("Accept-Language, Cookie"));
    response
}

/// The answer: what it does not say otherwise may not be framed, sniffed, cached or told to other sites.
pub(crate) fn secured(idp: &Idp, mut response: Response) -> Response {
    secure(idp, response.headers_mut());
    response
}

/// Adds what the headers of an answer do not say.
pub(super) fn secure(idp: &Idp, headers: &mut HeaderMap) {
    let defaults = [
        (CONTENT_SECURITY_POLICY, "default-src 'none'; base-uri 'none'; frame-ancestors 'none'"),
        (X_FRAME_OPTIONS, "DENY"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (CACHE_CONTROL, "no-store"),
    ];
    for (name, value) in defaults {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if idp.settings().issuer.is_https() {
        headers.entry(STRICT_TRANSPORT_SECURITY).or_insert(HeaderValue::from_static("max-age=63072000"));
    }
}
