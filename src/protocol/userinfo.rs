//! UserInfo (OpenID Connect Core §5.3): the claims that an access token opens, in one read.

use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use super::claims;
use super::error::{BearerError, NOT_STORED};
use super::parameters::{Parameters, is_form};
use super::token::issue::{ACCESS_TOKEN_TYP, AccessToken};
use crate::crypto::jwt::{self, Expected};
use crate::domain::client::SigningAlgorithm;
use crate::domain::error::{ErrorCode, OAuthError};
use crate::domain::grant::Grant;
use crate::domain::issuer::Issuer;
use crate::domain::scope::OPENID;
use crate::domain::user::User;
use crate::http::{CurrentIssuer, Idp};
use crate::storage::grants;

/// `GET /userinfo` and `POST /userinfo`
pub(super) async fn userinfo(
    State(idp): State<Idp>,
    current: CurrentIssuer,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, BearerError> {
    let token = presented(&uri, &headers, &body)?;
    let (grant, user) = behind(&idp, &current.issuer, &token).await?;
    if !grant.scope.contains(OPENID) {
        return Err(BearerError::new(ErrorCode::InsufficientScope, "the scope openid is needed"));
    }
    let mut claims = claims::at_userinfo(&idp, &user, &grant).await?;
    claims.insert("sub".to_owned(), user.id.as_str().into());
    Ok((NOT_STORED, Json(claims)).into_response())
}

/// The one access token of the request: in the header or in a posted form, never in the address (RFC 6750 §2).
fn presented(uri: &Uri, headers: &HeaderMap, body: &[u8]) -> Result<String, BearerError> {
    let in_query = Parameters::parse(uri.query().unwrap_or_default().as_bytes())?;
    let in_body = if is_form(headers) { Parameters::parse(body)? } else { Parameters::default() };
    in_body.each_once()?;
    if in_query.get("access_token").is_some() {
        return Err(BearerError::new(
            ErrorCode::InvalidRequest,
            "an access token does not belong in the address",
        ));
    }
    let mut tokens = bearers(headers).chain(in_body.get("access_token")).map(str::to_owned);
    match (tokens.next(), tokens.next()) {
        (Some(token), None) => Ok(token),
        (None, _) => Err(BearerError::Missing),
        _ => Err(BearerError::new(ErrorCode::InvalidRequest, "more than one access token")),
    }
}

fn bearers(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    headers.get_all(AUTHORIZATION).into_iter().filter_map(|value| {
        let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    })
}

/// The grant that the token stands on and whose it is, if both still stand and the client too: the one read.
async fn behind(idp: &Idp, issuer: &Issuer, token: &str) -> Result<(Grant, User), BearerError> {
    let token = verify(idp, issuer, token).await?;
    let mut reader = idp.db().read().await?;
    let standing = grants::with_user(&mut reader.tx(), &token.grant).await?;
    standing.ok_or_else(|| invalid("the grant, its user, session or client has ended"))
}

/// An access token of this issuer, for this issuer (RFC 9068 §4).
async fn verify(idp: &Idp, issuer: &Issuer, token: &str) -> Result<AccessToken, BearerError> {
    let keys = idp.verifying_keys(&issuer.id).await?;
    let url = issuer.url.as_str();
    let expected = Expected {
        typ: &[ACCESS_TOKEN_TYP],
        algorithms: &SigningAlgorithm::ALL,
        issuer: url,
        audience: Some(url),
        subject: None,
        now: idp.now(),
        leeway: Duration::ZERO,
        max_lifetime: None,
        allow_expired: false,
    };
    let claims = jwt::verify(token, &keys, &expected).map_err(|error| invalid(&error.to_string()))?;
    serde_json::from_value(Value::Object(claims)).map_err(|_| invalid("not a token of ours"))
}

/// One answer for every reason; which it was is for the log.
fn invalid(hint: &str) -> BearerError {
    let description = "the access token is malformed, expired, revoked or not for this issuer";
    OAuthError::new(ErrorCode::InvalidToken, description).with_hint(hint).into()
}
