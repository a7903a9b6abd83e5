//! The answer of the token endpoint to a grant: access token, refresh token, ID token.

use serde::Serialize;

use crate::domain::audience::Audience;
use crate::domain::client::Client;
use crate::domain::grant::Grant;
use crate::domain::issuer::Issuer;
use crate::domain::scope::{OPENID, Scope};
use crate::domain::user::User;
use crate::protocol::access_token::{self, Issued};
use crate::protocol::error::TokenError;
use crate::protocol::id_token::{self, IdTokenRequest};
use crate::provider::{Idp, Internal};

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

/// The input of the tokens of one answer.
pub(super) struct TokenIssuance<'a> {
    /// What the user allowed the client.
    pub(super) grant: &'a Grant,
    /// The user as of now.
    pub(super) user: &'a User,
    /// The part of the grant's scope that the tokens carry.
    pub(super) scope: Scope,
    /// The APIs that the access token is for.
    pub(super) audience: Audience,
    /// The request's `nonce`; an ID token that is refreshed has none (Core §12.2).
    pub(super) nonce: Option<&'a str>,
    /// The family's refresh token.
    pub(super) refresh_token: Option<String>,
    /// Whether the ID token is left out while the host cannot answer for its claims. A refresh may do so (Core §12.2): its
    /// refresh token has been rotated by then and must not be lost.
    pub(super) id_token_can_wait: bool,
}

/// Everything that a grant gives its client; an ID token only if `openid` is among the scopes.
pub(super) async fn tokens(
    idp: &Idp,
    issuer: &Issuer,
    client: &Client,
    issuance: TokenIssuance<'_>,
) -> Result<TokenResponse, TokenError> {
    let TokenIssuance { grant, user, scope, audience, nonce, refresh_token, id_token_can_wait } = issuance;
    let scope = idp.scopes().await?.in_token(&scope, &audience);
    let of_user = access_token::TokenSubject::Grant(grant, user);
    let access = access_token::issue(idp, issuer, client, of_user, scope.clone(), audience).await?;
    let id_token = if scope.contains(OPENID) {
        let request = IdTokenRequest { grant, user, scope: &scope, nonce, access_token: &access.value };
        match id_token::issue(idp, issuer, client, request).await {
            Err(Internal::Busy(_)) if id_token_can_wait => None,
            made => Some(made?),
        }
    } else {
        None
    };
    Ok(TokenResponse { refresh_token, id_token, ..TokenResponse::bare(access, scope) })
}
