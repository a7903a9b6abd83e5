//! Style sheet, scripts and logos: the files that pages refer to.
//!
//! An address carries the hash of its content, so a browser may keep the answer for ever. A page of another version
//! of the program names another hash and finds nothing here; its next load does.

use axum::extract::Path;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;

use super::issuer::CurrentIssuer;
use crate::domain::branding::Logo;
use crate::views::Asset;

const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// A logo is the tenant's own file: opened by itself it may draw, and do nothing else.
const ONLY_DRAWS: HeaderValue =
    HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; sandbox");

/// The last part of the address; below a tenant's issuer the path has another parameter before it.
#[derive(Deserialize)]
pub(super) struct Asked {
    file: String,
}

/// `GET /assets/{file}`
pub(super) async fn file(current: CurrentIssuer, Path(Asked { file }): Path<Asked>) -> Response {
    if let Some((media_type, content)) = Asset::find(&file) {
        return ([(CONTENT_TYPE, HeaderValue::from_static(media_type)), (CACHE_CONTROL, FOR_EVER)], content)
            .into_response();
    }
    let logo = current.tenant.as_ref().and_then(|tenant| tenant.branding.logo.as_ref());
    logo.filter(|logo| Asset::logo_file(logo) == file)
        .and_then(image)
        .unwrap_or_else(|| StatusCode::NOT_FOUND.into_response())
}

/// The logo, if it is of a kind that pages show.
fn image(logo: &Logo) -> Option<Response> {
    let media_type = [Logo::PNG, Logo::SVG].into_iter().find(|kind| logo.media_type == *kind)?;
    let content = BASE64_STANDARD.decode(&logo.data).ok()?;
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(media_type)),
        (CACHE_CONTROL, FOR_EVER),
        (CONTENT_SECURITY_POLICY, ONLY_DRAWS),
    ];
    Some((headers, content).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_logo_may_draw_and_do_nothing_else() {
        let logo = Logo { media_type: Logo::SVG.to_owned(), data: BASE64_STANDARD.encode("<svg/>") };
        let response = image(&logo).unwrap();
        assert_eq!(response.headers()[CONTENT_TYPE], "image/svg+xml");
        assert_eq!(response.headers()[CONTENT_SECURITY_POLICY], ONLY_DRAWS);
        assert!(image(&Logo { media_type: "text/html".to_owned(), ..logo }).is_none());
    }
}
