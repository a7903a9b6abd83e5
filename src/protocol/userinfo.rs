//! UserInfo (OpenID Connect Core §5.3): the claims that an access token opens, in one read.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, Uri};
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use serde_json::{Map, Value};

use super::access_token::{self, ActiveToken};
use super::claims;
use super::error::{BearerError, NOT_STORED};
use super::parameters::{Parameters, is_form};
use super::response_jwt::ResponseJwt;
use crate::domain::client::{Client, SigningAlgorithm};
use crate::domain::error::ErrorCode;
use crate::domain::header::trim_ows;
use crate::domain::issuer::Issuer;
use crate::domain::scope::OPENID;
use crate::http::CurrentIssuer;
use crate::provider::{Idp, Internal};

/// `GET /userinfo` and `POST /userinfo`
pub(super) async fn userinfo(
    State(idp): State<Idp>,
    current: CurrentIssuer,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, BearerError> {
    let token = presented(&uri, &headers, &body)?;
    let ActiveToken { token, person } = access_token::for_us(&idp, &current.issuer, &token).await?;
    let person = person.filter(|_| token.scope.contains(OPENID)).ok_or_else(openid_is_missing)?;
    let client = idp.catalogue().client(&current.issuer.id, &token.client_id).await?;
    let client = client.ok_or_else(|| access_token::invalid("the client has ended"))?;
    let mut claims = claims::at_userinfo(&idp, person.user(), &client, person.grant(), &token.scope).await?;
    claims.insert("sub".to_owned(), token.sub.as_str().into());
    match client.metadata.userinfo_signed_response_alg {
        Some(algorithm) => {
            let signed = signed(&idp, &current.issuer, &client, algorithm, claims).boxed().await?;
            Ok((NOT_STORED, [(CONTENT_TYPE, "application/jwt")], signed).into_response())
        }
        None => Ok((NOT_STORED, Json(claims)).into_response()),
    }
}

/// The claims as a JWT for the client (OpenID Connect Core §5.3.2). It has no `exp`, so that it passes for no ID token.
async fn signed(
    idp: &Idp,
    issuer: &Issuer,
    client: &Client,
    algorithm: SigningAlgorithm,
    mut claims: Map<String, Value>,
) -> Result<String, Internal> {
    claims.insert("iss".to_owned(), issuer.url.as_str().into());
    claims.insert("aud".to_owned(), client.id.as_str().into());
    ResponseJwt::UserInfo(algorithm).sign(idp, issuer, client, &claims).await
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
        scheme.eq_ignore_ascii_case("bearer").then(|| trim_ows(token))
    })
}
