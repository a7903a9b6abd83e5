//! The token endpoint (RFC 6749 §3.2): parse, authenticate the client, find the grant type, exchange, answer.

mod authorization_code;
mod client_credentials;
pub(super) mod issue;
mod refresh_token;

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use futures_util::future::BoxFuture;

use self::authorization_code::AuthorizationCode;
use self::client_credentials::ClientCredentials;
use self::issue::TokenResponse;
use self::refresh_token::RefreshTokenGrant;
use super::client_auth::ClientRequest;
use super::error::{NOT_STORED, TokenError};
use super::parameters::Parameters;
use crate::domain::client::{Client, GrantType};
use crate::domain::error::ErrorCode;
use crate::domain::issuer::Issuer;
use crate::provider::Idp;

/// Exchanges what a client presents under one grant type for tokens.
trait GrantHandler: Sync {
    /// Its name in the client's registration.
    fn grant_type(&self) -> GrantType;

    /// Takes what the client presents and gives tokens for it.
    fn exchange<'a>(
        &'a self,
        request: &'a TokenRequest<'_>,
    ) -> BoxFuture<'a, Result<TokenResponse, TokenError>>;
}

/// Every grant type. To add one, add its file and a line here, and its name to [`GrantType`];
/// discovery and the validation of clients follow.
static GRANTS: [&dyn GrantHandler; 3] = [&AuthorizationCode, &RefreshTokenGrant, &ClientCredentials];

/// A token request whose client has proved itself.
struct TokenRequest<'a> {
    idp: &'a Idp,
    issuer: &'a Issuer,
    client: Arc<Client>,
    parameters: &'a Parameters,
}

/// `POST /token`
pub(super) async fn token(
    State(idp): State<Idp>,
    ClientRequest { issuer, client, parameters }: ClientRequest,
) -> Result<Response, TokenError> {
    let request = TokenRequest { idp: &idp, issuer: &issuer, client, parameters: &parameters };
    let tokens = exchange(&request).await?;
    Ok((NOT_STORED, Json(tokens)).into_response())
}

async fn exchange(request: &TokenRequest<'_>) -> Result<TokenResponse, TokenError> {
    let name = request
        .parameters
        .get("grant_type")
        .ok_or_else(|| TokenError::new(ErrorCode::InvalidRequest, "grant_type is missing"))?;
    let grant = GRANTS
        .iter()
        .find(|grant| grant.grant_type().as_str() == name)
        .ok_or_else(|| TokenError::new(ErrorCode::UnsupportedGrantType, "no such grant_type"))?;
    if !request.client.metadata.may_use(grant.grant_type()) {
        return Err(TokenError::new(ErrorCode::UnauthorizedClient, "the client may not use this grant_type"));
    }
    grant.exchange(request).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_grant_type_has_one_handler() {
        let handled: Vec<GrantType> = GRANTS.iter().map(|grant| grant.grant_type()).collect();
        assert_eq!(handled, GrantType::ALL);
    }
}
