//! UserInfo (OpenID Connect Core §5.3): the claims that an access token opens, in one read.

use std::sync::Arc;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, FromRequestParts, Request, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Uri};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::{Map, Value};

use super::access_token::{self, ActiveToken, TokenUser};
use super::claims;
use super::error::{BearerError, NOT_STORED};
use super::parameters::{Parameters, is_form};
use super::response_jwt::ResponseJwt;
use crate::domain::access_token::AccessToken;
use crate::domain::client::{Client, SigningAlgorithm};
use crate::domain::error::ErrorCode;
use crate::domain::header::trim_ows;
use crate::domain::issuer::Issuer;
use crate::domain::scope::OPENID;
use crate::http::{Access, BearerGuard, CurrentIssuer};
use crate::provider::{Idp, Internal};

/// What the row demands: an access token with the scope `openid`.
pub(super) const ACCESS: Access = Access::Bearer(BearerGuard::new(OPENID, guard));

/// The access token that the guard accepted.
#[derive(Clone)]
pub(super) struct UserInfoToken {
    token: Arc<AccessToken>,
    person: Arc<TokenUser>,
}

/// Accepts a token in the header or in a posted form (RFC 6750 §2); the form is read here and not handed on.
fn guard(idp: Idp, request: Request, scope: &'static str) -> BoxFuture<'static, Result<Request, Response>> {
    async move {
        let (mut parts, body) = request.into_parts();
        let current = CurrentIssuer::from_request_parts(&mut parts, &idp).await;
        let issuer = current.map_err(IntoResponse::into_response)?.issuer;
        let form = if body.is_end_stream() { Ok(Bytes::new()) } else { read(&parts, body).await };
        let form = form.map_err(IntoResponse::into_response)?;
        let accepted = accept(&idp, &issuer, &parts, &form, scope).await;
        parts.extensions.insert(accepted.map_err(IntoResponse::into_response)?);
        Ok(Request::from_parts(parts, Body::empty()))
    }
    .boxed()
}

/// The body, within the limit in the request's extensions.
async fn read(parts: &Parts, body: Body) -> Result<Bytes, BytesRejection> {
    let mut request = Request::new(body);
    request.extensions_mut().clone_from(&parts.extensions);
    Bytes::from_request(request, &()).await
}

async fn accept(
    idp: &Idp,
    issuer: &Issuer,
    parts: &Parts,
    form: &[u8],
    scope: &str,
) -> Result<UserInfoToken, BearerError> {
    let token = presented(&parts.uri, &parts.headers, form)?;
    let ActiveToken { token, person } = access_token::for_us(idp, issuer, &token).await?;
    let person = person.filter(|_| token.scope.contains(scope)).ok_or_else(openid_is_missing)?;
    Ok(UserInfoToken { token, person: Arc::new(person) })
}

/// `GET /userinfo` and `POST /userinfo`
pub(super) async fn userinfo(
    State(idp): State<Idp>,
    current: CurrentIssuer,
    Extension(UserInfoToken { token, person }): Extension<UserInfoToken>,
) -> Result<Response, BearerError> {
    let client =
        idp.catalogue().client(&current.issuer.id, &token.client_id).await.map_err(Internal::from)?;
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
