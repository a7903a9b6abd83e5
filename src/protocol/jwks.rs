//! The issuer's public keys (RFC 7517), built once and served as they are.

use axum::extract::State;
use axum::response::Response;
use serde_json::json;

use crate::crypto::keys::SigningKey;
use crate::domain::issuer::Issuer;
use crate::http::{CurrentIssuer, IfNoneMatch};
use crate::provider::{Document, Idp, Internal};

/// `GET /jwks`
pub(super) async fn jwks(
    State(idp): State<Idp>,
    current: CurrentIssuer,
    known: IfNoneMatch,
) -> Result<Response, Internal> {
    let issuer = &current.issuer.id;
    let mut revision = idp.catalogue().revision().await?;
    if !idp.documents().holds(issuer, "jwks", revision) {
        // A key that is made raises the revision, so missing ones are made before the set is filed under it.
        // Making keys is a long story; boxed, so that every other answer does not carry its weight.
        Box::pin(idp.make_missing_keys(issuer)).await?;
        revision = idp.catalogue().revision().await?;
    }
    let document = idp.documents().or_build(issuer, "jwks", revision, build(&idp, &current.issuer)).await?;
    Ok(document.answer(&known))
}

/// All algorithms that the issuer uses are there from the first look on, so that a client that keeps the set never misses
/// one.
async fn build(idp: &Idp, issuer: &Issuer) -> Result<Document, Internal> {
    let keys = idp.published_keys(&issuer.id).await?;
    let set = json!({ "keys": keys.iter().map(SigningKey::jwk).collect::<Vec<_>>() });
    // A new key is shown for longer than this before it signs.
    Document::json(idp.settings(), &set.to_string(), idp.settings().jwks_max_age)
}
