//! Introspection (RFC 7662): what a token means, for the client that holds it and for the APIs it is meant for.
//!
//! Whatever is not theirs to know gets one answer, byte for byte: expired, revoked, unknown, somebody else's.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, Uri};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::json;

use super::access_token::{self, AccessToken, Live};
use super::client_auth;
use super::error::{BearerError, NOT_STORED, TokenError};
use super::parameters::{self, Parameters};
use super::subject;
use crate::crypto::{jwt, secret};
use crate::domain::client::Client;
use crate::domain::error::{ErrorCode, OAuthError};
use crate::domain::ids::ClientId;
use crate::domain::issuer::Issuer;
use crate::domain::scope::Scope;
use crate::domain::time::Time;
use crate::domain::user::Username;
use crate::http::{CurrentIssuer, Idp, Internal};
use crate::storage::refresh_tokens;

/// RFC 9701 §4
const SIGNED: &str = "application/token-introspection+jwt";
/// `typ` of such an answer (RFC 9701 §5).
const TYP: &str = "token-introspection+jwt";

/// `POST /introspect`
pub(super) async fn introspect(
    State(idp): State<Idp>,
    current: CurrentIssuer,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, TokenError> {
    if !parameters::is_form(&headers) {
        return Err(TokenError::MediaType);
    }
    let parameters = Parameters::of_form(&uri, &headers, &body)?;
    parameters.each_once()?;
    let issuer = &current.issuer;
    let caller = client_auth::authenticate(&idp, issuer, &headers, &parameters).await?;
    if caller.is_public() {
        let refused = OAuthError::new(ErrorCode::InvalidClient, "client authentication failed");
        return Err(refused.with_hint("a public client proves nothing").into());
    }
    let token = parameters
        .get("token")
        .ok_or_else(|| TokenError::new(ErrorCode::InvalidRequest, "token is missing"))?;
    let meaning = if secret::is_shaped(token) {
        of_refresh_token(&idp, issuer, &caller, token).await?
    } else {
        of_access_token(&idp, issuer, &caller, token).await?
    };
    let meaning = meaning.unwrap_or(Meaning::Inactive { active: false });
    if wants_jwt(&headers) {
        let signed = signed(&idp, issuer, &caller, &meaning).await?;
        return Ok((NOT_STORED, [(CONTENT_TYPE, SIGNED)], signed).into_response());
    }
    Ok((NOT_STORED, Json(meaning)).into_response())
}

/// The kinds of tokens are told apart by their looks, so that none costs more than one read; `token_type_hint` has
/// nothing to add.
async fn of_access_token(
    idp: &Idp,
    issuer: &Issuer,
    caller: &Client,
    token: &str,
) -> Result<Option<Meaning>, Internal> {
    match access_token::live(idp, issuer, token).await {
        Ok(live) => Ok(Some(live).filter(|live| may_know(caller, &live.token)).map(Meaning::of)),
        Err(BearerError::Missing | BearerError::Refused(_)) => Ok(None),
        Err(BearerError::Internal(internal)) => Err(internal),
    }
}

/// A refresh token is its client's alone.
async fn of_refresh_token(
    idp: &Idp,
    issuer: &Issuer,
    caller: &Client,
    token: &str,
) -> Result<Option<Meaning>, Internal> {
    let (hash, now) = (secret::hash(token), idp.now());
    let found = {
        let mut reader = idp.db().read().await?;
        refresh_tokens::alive(&mut reader.tx(), &issuer.id, &caller.id, &hash, now).await?
    };
    let Some((exp, grant, user)) = found else { return Ok(None) };
    let Some(user) = idp.account().still(user).await? else { return Ok(None) };
    Ok(Some(Meaning::RefreshToken {
        active: true,
        iss: issuer.url.to_string(),
        sub: subject::of(&grant.user),
        client_id: grant.client,
        scope: grant.scope,
        exp,
        username: user.username,
    }))
}

/// A token is known to the client that holds it, and to the APIs that it is meant for (RFC 7662 §4).
fn may_know(caller: &Client, token: &AccessToken) -> bool {
    caller.id == token.client_id || token.aud.contains_any(&caller.metadata.own_audiences)
}

/// What the caller learns (RFC 7662 §2.2).
#[derive(Serialize)]
#[serde(untagged)]
enum Meaning {
    Active {
        active: bool,
        #[serde(flatten)]
        token: Box<AccessToken>,
        token_type: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        username: Option<Username>,
    },
    RefreshToken {
        active: bool,
        iss: String,
        sub: String,
        client_id: ClientId,
        scope: Scope,
        exp: Time,
        username: Username,
    },
    /// Nothing else may be said of it.
    Inactive { active: bool },
}

impl Meaning {
    /// Of a user's login too, for an API that demands a strong or a recent one (RFC 9470 §6.2).
    fn of(Live { token, person }: Live) -> Self {
        let username = person.map(|person| person.1.username);
        Self::Active { active: true, token: Box::new(token), token_type: "Bearer", username }
    }
}

/// RFC 9701 §4: the caller says that it wants the answer signed.
fn wants_jwt(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(ACCEPT).into_iter().filter_map(|value| value.to_str().ok());
    let mut media_types =
        accepted.flat_map(|value| value.split(',')).filter_map(|range| range.split(';').next());
    media_types.any(|media_type| media_type.trim().eq_ignore_ascii_case(SIGNED))
}

/// RFC 9701 §5: no `sub` and no `exp` outside, so that nobody takes the answer for a token.
async fn signed(idp: &Idp, issuer: &Issuer, caller: &Client, meaning: &Meaning) -> Result<String, Internal> {
    let key = idp.signing_key(&issuer.id, caller.metadata.introspection_signed_response_alg).await?;
    let claims = json!({
        "iss": issuer.url.as_str(),
        "aud": caller.id,
        "iat": idp.now(),
        "token_introspection": meaning,
    });
    Ok(jwt::sign(&key, TYP, &claims)?)
}
