//! Revocation (RFC 7009): a client gives back what it holds. A refresh token takes its whole family along, an access
//! token goes alone.
//!
//! Whatever is not there to be revoked gets the same 200: unknown, expired, revoked before, another client's (§2.2).
//! `token_type_hint` is not needed: what a token is, its own form tells.

use axum::extract::State;
use axum::response::{IntoResponse, Response};

use super::access_token;
use super::client_auth::ClientRequest;
use super::error::{NOT_STORED, TokenError};
use crate::crypto::secret;
use crate::domain::client::Client;
use crate::domain::error::ErrorCode;
use crate::domain::issuer::Issuer;
use crate::provider::{Idp, Internal};
use crate::storage::{grants, refresh_tokens};

/// `POST /revoke`
pub(super) async fn revoke(
    State(idp): State<Idp>,
    ClientRequest { issuer, client, parameters }: ClientRequest,
) -> Result<Response, TokenError> {
    let token = parameters
        .get("token")
        .ok_or_else(|| TokenError::new(ErrorCode::InvalidRequest, "token is missing"))?;
    if !access_token::revoke(&idp, &issuer, &client, token).await? {
        end_family(&idp, &issuer, &client, token).await?;
    }
    Ok(NOT_STORED.into_response())
}

/// Ends the grant behind a refresh token of this client, whether the token was used or not.
async fn end_family(idp: &Idp, issuer: &Issuer, client: &Client, token: &str) -> Result<(), TokenError> {
    let (hash, now) = (secret::hash(token), idp.now());
    let (issuer, client) = (issuer.id.clone(), client.id.clone());
    let write = idp.db().write(move |tx| {
        let (hash, issuer, client) = (hash.clone(), issuer.clone(), client.clone());
        Box::pin(async move {
            let Some(token) = refresh_tokens::by_hash(tx, &hash, now).await? else { return Ok(()) };
            let grant = grants::by_id(tx, &token.grant).await?;
            if grant.is_some_and(|grant| grant.issuer == issuer && grant.client == client) {
                grants::revoke(tx, &token.grant, now).await?;
            }
            Ok(())
        })
    });
    Ok(write.await.map_err(Internal::from)?)
}
