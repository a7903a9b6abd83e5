//! Where every token is made: access tokens as JWTs (RFC 9068) and ID tokens (OpenID Connect Core §2).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::crypto::{jwt, random};
use crate::domain::acr::Acr;
use crate::domain::client::Client;
use crate::domain::grant::Grant;
use crate::domain::ids::{ClientId, GrantId, SessionId, UserId};
use crate::domain::issuer::Issuer;
use crate::domain::scope::{OPENID, Scope};
use crate::domain::time::Time;
use crate::http::{Idp, Internal};
use crate::protocol::claims;
use crate::storage::codes::Redeemed;

/// `typ` of an access token (RFC 9068 §2.1).
pub(in crate::protocol) const ACCESS_TOKEN_TYP: &str = "at+jwt";
/// `typ` of an ID token.
pub(in crate::protocol) const ID_TOKEN_TYP: &str = "JWT";

/// The answer of the token endpoint (RFC 6749 §5.1, OpenID Connect Core §3.1.3.3).
#[derive(Debug, Serialize)]
pub(super) struct TokenResponse {
    access_token: String,
    token_type: &'static str,
    expires_in: i64,
    scope: Scope,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<String>,
}

/// The claims of an access token (RFC 9068 §2.2).
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::protocol) struct AccessToken {
    iss: String,
    sub: UserId,
    /// The provider itself: UserInfo is what the token opens.
    aud: String,
    client_id: ClientId,
    iat: Time,
    exp: Time,
    jti: String,
    scope: Scope,
    auth_time: Time,
    acr: Acr,
    amr: Vec<String>,
    /// Ours: the grant it stands on, so that one read tells whether it still stands.
    pub(in crate::protocol) grant: GrantId,
}

/// The claims of an ID token (OpenID Connect Core §2).
#[derive(Debug, Serialize)]
struct IdToken<'a> {
    iss: &'a str,
    sub: &'a UserId,
    aud: &'a ClientId,
    iat: Time,
    exp: Time,
    auth_time: Time,
    acr: Acr,
    amr: &'a [String],
    sid: &'a SessionId,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<&'a str>,
    #[serde(flatten)]
    more: Map<String, Value>,
}

/// Everything that a redeemed code gives its client; an ID token only if `openid` is among the scopes.
pub(super) async fn tokens(
    idp: &Idp,
    issuer: &Issuer,
    client: &Client,
    redeemed: &Redeemed,
) -> Result<TokenResponse, Internal> {
    let Redeemed { code, grant, user } = redeemed;
    let now = idp.now();
    let expires = now.plus(client.metadata.access_token_lifetime());
    let access = access_token(issuer, grant, now, expires);
    let key = idp.signing_key(&issuer.id, client.metadata.access_token_alg()).await?;
    let access_token = jwt::sign(&key, ACCESS_TOKEN_TYP, &access)?;
    let id_token = if grant.scope.contains(OPENID) {
        let more = claims::in_id_token(idp, user, grant).await?;
        let expires = now.plus(idp.settings().id_token_lifetime);
        let claims = id_token(issuer, grant, code.nonce.as_deref(), now, expires, more);
        let key = idp.signing_key(&issuer.id, client.metadata.id_token_signed_response_alg).await?;
        Some(jwt::sign(&key, ID_TOKEN_TYP, &claims)?)
    } else {
        None
    };
    Ok(TokenResponse {
        access_token,
        token_type: "Bearer",
        expires_in: expires.since(now),
        scope: grant.scope.clone(),
        id_token,
    })
}

fn access_token(issuer: &Issuer, grant: &Grant, now: Time, expires: Time) -> AccessToken {
    AccessToken {
        iss: issuer.url.to_string(),
        sub: grant.user.clone(),
        aud: issuer.url.to_string(),
        client_id: grant.client.clone(),
        iat: now,
        exp: expires,
        jti: random::uuid(),
        scope: grant.scope.clone(),
        auth_time: grant.context.auth_time,
        acr: grant.context.acr,
        amr: grant.context.amr.clone(),
        grant: grant.id.clone(),
    }
}

fn id_token<'a>(
    issuer: &'a Issuer,
    grant: &'a Grant,
    nonce: Option<&'a str>,
    now: Time,
    expires: Time,
    more: Map<String, Value>,
) -> IdToken<'a> {
    IdToken {
        iss: issuer.url.as_str(),
        sub: &grant.user,
        aud: &grant.client,
        iat: now,
        exp: expires,
        auth_time: grant.context.auth_time,
        acr: grant.context.acr,
        amr: &grant.context.amr,
        sid: &grant.session,
        nonce,
        more,
    }
}
