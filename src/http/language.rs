//! The language switch: keeps the choice in a cookie and goes back to the page it stood on.

use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use axum::http::header::{LOCATION, SET_COOKIE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::cookies::{self, Cookies};
use super::issuer::PageIssuer;
use crate::domain::locale::Locale;

/// What the switch sends.
#[derive(Debug, Deserialize)]
pub(super) struct Choice {
    to: String,
    back: String,
}

/// `GET /language?to=de&back=/login/…`
pub(super) async fn switch(
    PageIssuer(current): PageIssuer,
    choice: Result<Query<Choice>, QueryRejection>,
) -> Response {
    let Ok(Query(choice)) = choice else { return StatusCode::BAD_REQUEST.into_response() };
    let locale = Locale::from_tag(&choice.to);
    let (Some(locale), Some(back)) = (locale, local(&choice.back)) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let mut response = (StatusCode::SEE_OTHER, [(LOCATION, back)]).into_response();
    let chosen = cookies::keep(&current.issuer, Cookies::LOCALE, locale.tag());
    let shown = cookies::remove(&current.issuer, Cookies::SHOWN_LOCALE);
    response.headers_mut().extend(chosen.into_iter().chain(shown).map(|cookie| (SET_COOKIE, cookie)));
    response
}

/// A path of this host and nothing else: one slash, then no second one in any spelling that browsers fold into it.
fn local(path: &str) -> Option<HeaderValue> {
    let rest = path.strip_prefix('/')?;
    let plain = path.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
    (plain && !rest.starts_with('/')).then(|| HeaderValue::from_str(path).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goes_back_to_this_host_only() {
        assert!(local("/login/1/identify?x=1").is_some());
        for evil in
            ["//evil.test", "/\\evil.test", "https:evil.test", "/\t/evil.test", "\\evil", "", "evil", "/ä"]
        {
            assert!(local(evil).is_none(), "{evil:?}");
        }
    }
}
