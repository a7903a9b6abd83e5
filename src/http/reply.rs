//! Answers that browsers show, and the headers that every answer carries.
//!
//! Why most pages with a form have no `form-action`: Chromium and Safari apply it to every redirect that follows a form,
//! not to the form's own target alone. The last post of a login is answered with a 303 to the client, and where the
//! client's callback redirects its user next (another origin, a private scheme) is the client's business and unknown here.
//! Any list of origins would stop such a login on our page without a word. So the directive is left out on every page whose
//! form may end at a client: all steps of a login (each can be cancelled, which goes back to the client), the pages of a
//! forgotten password (they lead back to a login that waits, which may be complete by then), and the form that carries an
//! authorization response. Pages whose forms and links stay here name this issuer alone.
//!
//! What `form-action` would add is that an injected form cannot send elsewhere what is typed. Injection itself is held by
//! the templates, which escape every value, and by the rest of the policy: nothing is loaded or run that this issuer does
//! not serve (`default-src 'none'`, no inline script or style), no `<base>` turns our own forms away, and no frame shows
//! our pages.

use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, VARY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::domain::redirect_uri::RedirectUri;
use crate::domain::settings::Settings;
use crate::views::{Page, Theme};

/// Where the forms of a page may lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ContentSecurity {
    /// They and all redirects that follow stay at this issuer.
    Own,
    /// They may end at a client, and go on from there.
    Leaving,
}

impl ContentSecurity {
    /// `image`: the address of the application's own logo, which stays where it is.
    fn header(self, image: Option<&str>) -> Option<HeaderValue> {
        let image = image.and_then(RedirectUri::origin).unwrap_or_default();
        let form_action = match self {
            Self::Own => " form-action 'self';",
            Self::Leaving => "",
        };
        HeaderValue::try_from(format!(
            "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' {image};{form_action} \
             base-uri 'none'; frame-ancestors 'none'"
        ))
        .ok()
    }
}

/// A rendered page as an answer.
pub(crate) fn page(
    theme: &dyn Theme,
    status: StatusCode,
    page: &Page,
    security: ContentSecurity,
) -> Response {
    let html = theme.render(page).into_string();
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
pub(crate) fn secured(settings: &Settings, mut response: Response) -> Response {
    secure(settings, response.headers_mut());
    response
}

/// Adds what the headers of an answer do not say.
pub(super) fn secure(settings: &Settings, headers: &mut HeaderMap) {
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
    if settings.issuer.is_https() {
        headers.entry(STRICT_TRANSPORT_SECURITY).or_insert(HeaderValue::from_static("max-age=63072000"));
    }
}
