//! The files that pages refer to: style sheet, scripts, tenants' logos. Each address carries its content's hash.

use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::error::Internal;
use super::issuer::CurrentIssuer;
use super::state::Idp;
use crate::crypto::secret;
use crate::domain::branding::Logo;
use crate::domain::ids::TenantId;
use crate::domain::tenant::Tenant;
use crate::views::Asset;

/// What never changes may be kept for ever.
const FOR_EVER: &str = "public, max-age=31536000, immutable";
/// A logo opened by itself is a document of its own: whatever a tenant put into it may not run.
const LOGO_POLICY: &str = "default-src 'none'; sandbox; base-uri 'none'; frame-ancestors 'none'";

#[derive(Debug, Deserialize)]
pub(super) struct File {
    file: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct LogoOf {
    tenant_id: TenantId,
    hash: String,
}

/// Where a tenant's logo lies, below an issuer's path.
pub(crate) fn logo_address(base: &str, tenant: &Tenant) -> Option<String> {
    let logo = tenant.branding.logo.as_ref()?;
    Some(format!("{base}/assets/logo/{}/{}", tenant.id, logo_hash(logo)))
}

fn logo_hash(logo: &Logo) -> String {
    secret::hash(&logo.data).as_str().chars().take(16).collect()
}

/// `GET /assets/{file}`
pub(super) async fn file(_: CurrentIssuer, Path(path): Path<File>) -> Response {
    match Asset::find(&path.file) {
        Some((media_type, content)) => {
            ([(CONTENT_TYPE, media_type), (CACHE_CONTROL, FOR_EVER)], content).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// `GET /assets/logo/{tenant_id}/{hash}`
pub(super) async fn logo(
    State(idp): State<Idp>,
    current: CurrentIssuer,
    Path(path): Path<LogoOf>,
) -> Result<Response, Internal> {
    // A tenant's issuer shows no other tenant's mark.
    let foreign = current.issuer.tenant.as_ref().is_some_and(|tenant| *tenant != path.tenant_id);
    let tenant = if foreign { None } else { idp.catalogue().tenant(&path.tenant_id).await? };
    let logo = tenant.and_then(|tenant| tenant.branding.logo.clone());
    let found = logo.filter(|logo| logo_hash(logo) == path.hash).and_then(|logo| {
        let media_type = HeaderValue::try_from(&logo.media_type).ok()?;
        Some((media_type, STANDARD.decode(&logo.data).ok()?))
    });
    let Some((media_type, image)) = found else { return Ok(StatusCode::NOT_FOUND.into_response()) };
    let headers = [
        (CONTENT_TYPE, media_type),
        (CACHE_CONTROL, HeaderValue::from_static(FOR_EVER)),
        (CONTENT_SECURITY_POLICY, HeaderValue::from_static(LOGO_POLICY)),
    ];
    Ok((headers, image).into_response())
}
