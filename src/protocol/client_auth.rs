//! How a client proves itself (RFC 6749 §2.3, OpenID Connect Core §9): by the one method it registered, once per request.

mod assertion;
mod basic;

use std::sync::Arc;

use axum::http::HeaderMap;

use super::error::TokenError;
use super::parameters::Parameters;
use crate::crypto::secret::{self, Secret};
use crate::domain::client::{Client, ClientAuthentication};
use crate::domain::error::{ErrorCode, OAuthError};
use crate::domain::ids::{ClientId, Hash};
use crate::domain::issuer::Issuer;
use crate::http::Idp;

pub(super) use assertion::ALGORITHMS as ASSERTION_ALGORITHMS;

/// What the request brings along as proof.
enum Credentials<'a> {
    None,
    Basic(Secret),
    Post(Secret),
    Assertion(&'a str),
}

/// The client that sent the request, if it proves that it is.
pub(super) async fn authenticate(
    idp: &Idp,
    issuer: &Issuer,
    headers: &HeaderMap,
    parameters: &Parameters,
) -> Result<Arc<Client>, TokenError> {
    let (id, credentials) = presented(headers, parameters)?;
    let client = idp.catalogue().client(&issuer.id, &id).await?;
    let client = client.ok_or_else(|| failed("unknown client"))?;
    let proved = match (&client.authentication, &credentials) {
        (ClientAuthentication::None, Credentials::None) => true,
        (ClientAuthentication::ClientSecretBasic(hash), Credentials::Basic(secret))
        | (ClientAuthentication::ClientSecretPost(hash), Credentials::Post(secret)) => {
            is_secret(secret, hash)
        }
        (ClientAuthentication::PrivateKeyJwt(jwks), Credentials::Assertion(assertion)) => {
            assertion::prove(idp, issuer, &client.id, jwks, assertion).await?;
            true
        }
        _ => return Err(failed("another method than the registered one")),
    };
    if proved { Ok(client) } else { Err(failed("wrong secret")) }
}

/// Who the request says it is from, and its one proof of that.
fn presented<'a>(
    headers: &HeaderMap,
    parameters: &'a Parameters,
) -> Result<(ClientId, Credentials<'a>), TokenError> {
    let header = basic::read(headers)?;
    let post = parameters.get("client_secret");
    let assertion = assertion::read(parameters)?;
    let named = parameters.get("client_id").map(ClientId::new);
    let (proven, credentials) = match (header, post, assertion) {
        (None, None, None) => (None, Credentials::None),
        (Some((id, secret)), None, None) => (Some(id), Credentials::Basic(secret)),
        (None, Some(secret), None) => (None, Credentials::Post(Secret::new(secret.to_owned()))),
        (None, None, Some((id, jwt))) => (Some(id), Credentials::Assertion(jwt)),
        _ => return Err(TokenError::new(ErrorCode::InvalidRequest, "more than one client authentication")),
    };
    match (proven, named) {
        (Some(proven), Some(named)) if proven != named => {
            Err(TokenError::new(ErrorCode::InvalidRequest, "client_id and client authentication differ"))
        }
        (Some(id), _) | (None, Some(id)) => Ok((id, credentials)),
        (None, None) => Err(failed("client_id is missing")),
    }
}

/// Secrets are stored as SHA-256 and compared in constant time.
fn is_secret(secret: &Secret, hash: &Hash) -> bool {
    secret::equal(&secret.hash(), hash)
}

/// One answer for every failure; the reason is for the log.
fn failed(hint: impl Into<String>) -> TokenError {
    OAuthError::new(ErrorCode::InvalidClient, "client authentication failed").with_hint(hint).into()
}
