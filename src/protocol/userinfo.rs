//! UserInfo (OpenID Connect Core §5.3): the claims that an access token opens, in one read.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, Uri};
use axum::response::{IntoResponse, Response};

use super::access_token::{self, Standing};
use super::claims;
use super::error::{BearerError, NOT_STORED};
use super::parameters::{Parameters, is_form};
use crate::domain::error::ErrorCode;
use crate::domain::scope::OPENID;
use crate::http::{CurrentIssuer, Idp};

/// `GET /userinfo` and `POST /userinfo`
pub(super) async fn userinfo(
    State(idp): State<Idp>,
    current: CurrentIssuer,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, BearerError> {
    let token = presented(&uri, &headers, &body)?;
    let token = access_token::open_own(&idp, &current.issuer, &token).await?;
    let standing = access_token::standing(&idp, &token).await?;
    let Standing::User(person) = standing else { return Err(openid_is_missing()) };
    let (grant, user) = *person;
    if !token.scope.contains(OPENID) {
        return Err(openid_is_missing());
    }
    let mut claims = claims::at_userinfo(&idp, &user, &grant).await?;
    claims.insert("sub".to_owned(), token.sub.into());
    Ok((NOT_STORED, Json(claims)).into_response())
}

fn openid_is_missing() -> BearerError {
    BearerError::new(ErrorCode::InsufficientScope, "the scope openid is needed")
}

/// The one access token of the request: in the header or in a posted form, never in the address (RFC 6750 §2).
pub(super) fn presented(uri: &Uri, headers: &HeaderMap, body: &[u8]) -> Result<String, BearerError> {
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
