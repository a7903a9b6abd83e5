//! What the token endpoint answers, and the ID token in it (OpenID Connect Core §2).

use serde::Serialize;
use serde_json::{Map, Value};

use crate::crypto::jwt;
use crate::domain::acr::Acr;
use crate::domain::audience::Audience;
use crate::domain::client::Client;
use crate::domain::grant::Grant;
use crate::domain::ids::ClientId;
use crate::domain::issuer::Issuer;
use crate::domain::scope::{OPENID, Scope};
use crate::domain::time::Time;
use crate::domain::user::User;
use crate::protocol::access_token::{self, Issued};
use crate::protocol::error::TokenError;
use crate::protocol::{claims, subject};
use crate::provider::{Idp, Internal};

/// `typ` of an ID token.
pub(in crate::protocol) const ID_TOKEN_TYP: &str = "JWT";

/// The answer of the token endpoint (RFC 6749 §5.1, OpenID Connect Core §3.1.3.3).
#[derive(Debug, Serialize)]
pub(super) struct TokenResponse {
    access_token: String,
    token_type: &'static str,
    expires_in: i64,
    #[serde(skip_serializing_if = "Scope::is_empty")]
    scope: Scope,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<String>,
}

impl TokenResponse {
    /// An access token and nothing else.
    pub(super) fn bare(access: Issued, scope: Scope) -> Self {
        Self {
            access_token: access.value,
            token_type: "Bearer",
            expires_in: access.lifetime,
            scope,
            refresh_token: None,
            id_token: None,
        }
    }
}

/// The claims of an ID token (OpenID Connect Core §2).
#[derive(Debug, Serialize)]
struct IdToken<'a> {
    iss: &'a str,
    sub: String,
    aud: &'a ClientId,
    iat: Time,
    exp: Time,
    auth_time: Time,
    acr: Acr,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    amr: &'a [String],
    sid: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<&'a str>,
    #[serde(flatten)]
    more: Map<String, Value>,
}

/// What the tokens are made from.
pub(super) struct Basis<'a> {
    /// What was allowed, by whom.
    pub(super) grant: &'a Grant,
    /// The user as of now.
    pub(super) user: &'a User,
    /// What of the grant's scope these tokens are for.
    pub(super) scope: Scope,
    /// For whom they are.
    pub(super) audience: Audience,
    /// The request's `nonce`; an ID token that is refreshed has none (Core §12.2).
    pub(super) nonce: Option<&'a str>,
    /// The family's refresh token.
    pub(super) refresh_token: Option<String>,
    /// May the answer do without an ID token while the host cannot tell its claims? A refresh may (Core §12.2): its token
    /// is rotated by then, and must not be lost for that.
    pub(super) id_token_can_wait: bool,
}

/// Everything that a grant gives its client; an ID token only if `openid` is among the scopes.
pub(super) async fn tokens(
    idp: &Idp,
    issuer: &Issuer,
    client: &Client,
    basis: Basis<'_>,
) -> Result<TokenResponse, TokenError> {
    let Basis { grant, user, scope, audience, nonce, refresh_token, id_token_can_wait } = basis;
    let scope = idp.scopes().await?.in_token(&scope, &audience);
    let of_user = access_token::TokenSubject::Grant(grant, user);
    let access = access_token::issue(idp, issuer, client, of_user, scope.clone(), audience).await?;
    let more = if scope.contains(OPENID) {
        match claims::in_id_token(idp, user, client, grant, &scope).await {
            Err(Internal::Busy(_)) if id_token_can_wait => None,
            told => Some(told?),
        }
    } else {
        None
    };
    let id_token = if let Some(more) = more {
        let names = Names {
            sub: subject::of(idp, client, &grant.user).await?,
            sid: subject::of_session(idp, client, &grant.session).await?,
        };
        let now = idp.now();
        let expires = now.plus(idp.settings().id_token_lifetime);
        let claims = id_token(issuer, grant, names, nonce, now, expires, more);
        let key = idp.signing_key(&issuer.id, client.metadata.id_token_signed_response_alg).await?;
        Some(jwt::sign(&key, ID_TOKEN_TYP, &claims).map_err(Internal::from)?)
    } else {
        None
    };
    Ok(TokenResponse { refresh_token, id_token, ..TokenResponse::bare(access, scope) })
}

/// User and session, as the client knows them.
struct Names {
    sub: String,
    sid: String,
}

fn id_token<'a>(
    issuer: &'a Issuer,
    grant: &'a Grant,
    names: Names,
    nonce: Option<&'a str>,
    now: Time,
    expires: Time,
    more: Map<String, Value>,
) -> IdToken<'a> {
    IdToken {
        iss: issuer.url.as_str(),
        sub: names.sub,
        aud: &grant.client,
        iat: now,
        exp: expires,
        auth_time: grant.context.auth_time,
        acr: grant.context.acr,
        amr: &grant.context.amr,
        sid: names.sid,
        nonce,
        more,
    }
}
