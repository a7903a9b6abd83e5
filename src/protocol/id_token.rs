//! The ID token (OpenID Connect Core §2): who signed in, when and how, for one client.

use serde::Serialize;
use serde_json::{Map, Value};

use super::response_jwt::ResponseJwt;
use super::{claims, subject};
use crate::crypto::jwt::left_half_hash;
use crate::domain::acr::Acr;
use crate::domain::client::Client;
use crate::domain::grant::Grant;
use crate::domain::ids::ClientId;
use crate::domain::issuer::Issuer;
use crate::domain::scope::Scope;
use crate::domain::time::Time;
use crate::domain::user::User;
use crate::provider::{Idp, Internal};

/// The input of one ID token.
pub(super) struct IdTokenRequest<'a> {
    /// What the user allowed the client.
    pub(super) grant: &'a Grant,
    /// The user as of now.
    pub(super) user: &'a User,
    /// The scope of the tokens that are issued with it.
    pub(super) scope: &'a Scope,
    /// The `nonce` of the authorization request; a refreshed ID token has none (Core §12.2).
    pub(super) nonce: Option<&'a str>,
    /// The access token that is issued with it.
    pub(super) access_token: &'a str,
}

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
    at_hash: String,
    #[serde(flatten)]
    more: Map<String, Value>,
}

/// Signs an ID token for the client.
pub(super) async fn issue(
    idp: &Idp,
    issuer: &Issuer,
    client: &Client,
    request: IdTokenRequest<'_>,
) -> Result<String, Internal> {
    let IdTokenRequest { grant, user, scope, nonce, access_token } = request;
    let more = claims::in_id_token(idp, user, client, grant, scope).await?;
    let now = idp.now();
    let claims = IdToken {
        iss: issuer.url.as_str(),
        sub: subject::of(idp, client, &grant.user).await?,
        aud: &grant.client,
        iat: now,
        exp: now.plus(idp.settings().id_token_lifetime),
        auth_time: grant.context.auth_time,
        acr: grant.context.acr,
        amr: &grant.context.amr,
        sid: subject::of_session(idp, client, &grant.session).await?,
        nonce,
        at_hash: left_half_hash(client.metadata.id_token_signed_response_alg, access_token),
        more,
    };
    ResponseJwt::IdToken.sign(idp, issuer, client, &claims).await
}
