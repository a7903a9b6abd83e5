//! Introspection (RFC 7662): what a token means, for the client that holds it and for the APIs it is meant for.
//!
//! An expired, revoked, unknown or foreign token gets the same response, byte for byte.
//!
//! Guessing is limited: of the tokens that must be looked up, a client may ask about so many that
//! mean nothing to it, and then it waits, hits and misses alike. A JWT is not counted: its signature says without a
//! look whether it is one of ours. The limit is wide, because an API asks on behalf of its callers; one that is
//! flooded with made-up tokens has to turn its own callers away.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::access_token::{self, ActiveToken};
use super::client_auth::ClientRequest;
use super::error::{BearerError, NOT_STORED, TokenError};
use super::response_jwt::ResponseJwt;
use super::{claims, subject};
use crate::crypto::secret;
use crate::domain::access_token::AccessToken;
use crate::domain::client::Client;
use crate::domain::error::{ErrorCode, OAuthError};
use crate::domain::grant::{RefreshState, RefreshToken};
use crate::domain::header::trim_ows;
use crate::domain::ids::ClientId;
use crate::domain::issuer::Issuer;
use crate::domain::scope::Scope;
use crate::domain::time::Time;
use crate::domain::user::Username;
use crate::provider::{Idp, Internal};
use crate::storage::grants::GrantWithUser;
use crate::storage::refresh_tokens;

/// RFC 9701 §4
const SIGNED: &str = "application/token-introspection+jwt";

/// `POST /introspect`
pub(super) async fn introspect(
    State(idp): State<Idp>,
    headers: HeaderMap,
    ClientRequest { issuer, client: caller, parameters }: ClientRequest,
) -> Result<Response, TokenError> {
    if caller.is_public() {
        let refused = OAuthError::new(ErrorCode::InvalidClient, "client authentication failed");
        return Err(refused.with_hint("a public client proves nothing").into());
    }
    let token = parameters
        .get("token")
        .ok_or_else(|| TokenError::new(ErrorCode::InvalidRequest, "token is missing"))?;
    let meaning =
        meaning(&idp, &issuer, &caller, token).await?.unwrap_or(Meaning::Inactive { active: false });
    if wants_jwt(&headers) {
        let signed = signed(&idp, &issuer, &caller, &meaning).boxed().await?;
        return Ok((NOT_STORED, [(CONTENT_TYPE, SIGNED)], signed).into_response());
    }
    Ok((NOT_STORED, Json(meaning)).into_response())
}

/// What the token means to the caller, if anything. The kinds of tokens are told apart by their looks, so that none costs
/// more than one read; `token_type_hint` has nothing to add.
async fn meaning(
    idp: &Idp,
    issuer: &Issuer,
    caller: &Client,
    token: &str,
) -> Result<Option<Meaning>, TokenError> {
    let is_refresh_token = secret::is_shaped(token);
    if !is_refresh_token && !access_token::is_opaque(token) {
        return Ok(of_access_token(idp, issuer, caller, token).await?);
    }
    let (limit, by) = (&idp.limits().introspection_misses, (caller.issuer.clone(), caller.id.clone()));
    if let Some(retry_after) = limit.wait(&by, idp.unix_millis()) {
        return Err(TokenError::TooMany { what: "too many unknown tokens", retry_after });
    }
    let meaning = if is_refresh_token {
        of_refresh_token(idp, issuer, caller, token).boxed().await?
    } else {
        of_access_token(idp, issuer, caller, token).await?
    };
    if meaning.is_none() {
        limit.count(&by, idp.unix_millis());
    }
    Ok(meaning)
}

async fn of_access_token(
    idp: &Idp,
    issuer: &Issuer,
    caller: &Client,
    token: &str,
) -> Result<Option<Meaning>, Internal> {
    match access_token::live(idp, issuer, token).await {
        Ok(live) if may_know(caller, &live.token) => {
            let holder = idp.catalogue().client(&issuer.id, &live.token.client_id).await?;
            let claims = match (&live.person, &holder) {
                (Some(person), Some(holder)) => {
                    claims::in_access_token(idp, person.user(), holder, &live.token.scope).await?
                }
                _ => Map::new(),
            };
            let is_pairwise = holder.is_some_and(|holder| holder.sector().is_some());
            Ok(Some(Meaning::of(live, is_pairwise, claims)))
        }
        Ok(_) | Err(BearerError::Missing | BearerError::Refused(_)) => Ok(None),
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
    let found = refresh_tokens::with_grant(&mut idp.db().read().tx(), &hash, now).await?;
    let theirs = found.filter(|(token, GrantWithUser { grant, .. })| {
        token.state == RefreshState::Fresh && grant.issuer == issuer.id && grant.client == caller.id
    });
    let Some((RefreshToken { expires_at: exp, .. }, GrantWithUser { grant, user, .. })) = theirs else {
        return Ok(None);
    };
    let Some(user) = idp.account().recheck_directory(user).await? else { return Ok(None) };
    Ok(Some(Meaning::RefreshToken {
        active: true,
        iss: issuer.url.to_string(),
        sub: subject::of(idp, caller, &grant.user).await?,
        client_id: grant.client,
        scope: grant.scope,
        exp,
        username: Some(user.username).filter(|_| caller.sector().is_none()),
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
        token: Arc<AccessToken>,
        token_type: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        username: Option<Username>,
        #[serde(flatten)]
        claims: Map<String, Value>,
    },
    RefreshToken {
        active: bool,
        iss: String,
        sub: String,
        client_id: ClientId,
        scope: Scope,
        exp: Time,
        #[serde(skip_serializing_if = "Option::is_none")]
        username: Option<Username>,
    },
    /// Nothing else may be said of it.
    Inactive { active: bool },
}

impl Meaning {
    /// Of a user's login too, for an API that demands a strong or a recent one (RFC 9470 §6.2). Where the user has a
    /// pairwise name, the public one must not stand beside it. `claims` are those that a JWT of today would hold.
    fn of(ActiveToken { token, person }: ActiveToken, is_pairwise: bool, claims: Map<String, Value>) -> Self {
        let username = person.filter(|_| !is_pairwise).map(|person| person.user().username.clone());
        Self::Active { active: true, token, token_type: "Bearer", username, claims }
    }
}

/// RFC 9701 §4: the caller says that it wants the answer signed.
fn wants_jwt(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(ACCEPT).into_iter().filter_map(|value| value.to_str().ok());
    let mut media_types =
        accepted.flat_map(|value| value.split(',')).filter_map(|range| range.split(';').next());
    media_types.any(|media_type| trim_ows(media_type).eq_ignore_ascii_case(SIGNED))
}

/// RFC 9701 §5: no `sub` and no `exp` outside, so that the response cannot be used as a token.
async fn signed(idp: &Idp, issuer: &Issuer, caller: &Client, meaning: &Meaning) -> Result<String, Internal> {
    let claims = json!({
        "iss": issuer.url.as_str(),
        "aud": caller.id,
        "iat": idp.now(),
        "token_introspection": meaning,
    });
    ResponseJwt::Introspection.sign(idp, issuer, caller, &claims).await
}
