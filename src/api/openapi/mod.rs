//! The published description of the APIs (`OpenAPI` 3.1): served as it stands in `openapi.json`.
//!
//! A test makes the file from the rows and types of the APIs and compares; the product only serves its bytes.

#[cfg(test)]
mod generate;
#[cfg(test)]
mod operations;
#[cfg(test)]
mod tests;

use std::time::Duration;

use axum::extract::State;
use axum::response::Response;

use crate::http::{CurrentIssuer, IfNoneMatch};
use crate::provider::{Document, Idp, Internal};

const DESCRIPTION: &str = include_str!("openapi.json");

/// How long the document may be kept.
const MAX_AGE: Duration = Duration::from_mins(5);

/// `GET /api/openapi.json`
pub(super) async fn document(
    State(idp): State<Idp>,
    current: CurrentIssuer,
    known: IfNoneMatch,
) -> Result<Response, Internal> {
    let revision = idp.catalogue().revision().await?;
    let build = async { Document::json(idp.settings(), DESCRIPTION, MAX_AGE) };
    let document = idp.documents().or_build(&current.issuer.id, "openapi", revision, build).await?;
    Ok(document.answer(&known))
}
