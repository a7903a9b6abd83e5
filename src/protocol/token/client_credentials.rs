//! A token for the client itself (RFC 6749 §4.4): signed, and nothing is read or written for it.
//!
//! Scopes about users mean nothing without one, so they are refused where they are asked for and left out where
//! nothing is: what remains are the words of the client's own registration, which the APIs behind it understand.

use futures_util::future::BoxFuture;

use super::issue::TokenResponse;
use super::{GrantHandler, TokenRequest};
use crate::domain::client::{Client, GrantType};
use crate::domain::error::ErrorCode;
use crate::domain::scope::Scope;
use crate::management::Scopes;
use crate::protocol::access_token::{self, TokenSubject};
use crate::protocol::error::TokenError;
use crate::protocol::resource::ResourceRequest;

pub(super) struct ClientCredentials;

impl GrantHandler for ClientCredentials {
    fn grant_type(&self) -> GrantType {
        GrantType::ClientCredentials
    }

    fn exchange<'a>(
        &'a self,
        request: &'a TokenRequest<'_>,
    ) -> BoxFuture<'a, Result<TokenResponse, TokenError>> {
        Box::pin(issue(request))
    }
}

async fn issue(request: &TokenRequest<'_>) -> Result<TokenResponse, TokenError> {
    let TokenRequest { idp, issuer, client, parameters } = request;
    if client.is_public() {
        return Err(TokenError::new(ErrorCode::UnauthorizedClient, "a public client has nothing of its own"));
    }
    let target = ResourceRequest::of(parameters, issuer, client)?;
    let scopes = idp.scopes().await?;
    let registered = registered(&scopes, client);
    let asked = parameters.get("scope").map(Scope::parse);
    if asked.as_ref().is_some_and(|asked| !asked.is_subset(&registered)) {
        return Err(TokenError::new(
            ErrorCode::InvalidScope,
            "a scope that the client is not registered for, or that is about a user",
        ));
    }
    let wanted = asked.as_ref().unwrap_or(&registered);
    let audience = target.of_client(wanted)?;
    let scope = scopes.own().narrowed(wanted, &audience);
    if asked.is_some_and(|asked| asked != scope) {
        return Err(TokenError::new(
            ErrorCode::InvalidScope,
            "a scope belongs to an API that the token is not for; name that API as resource",
        ));
    }
    let access =
        access_token::issue(idp, issuer, client, TokenSubject::Client, scope.clone(), audience).await?;
    Ok(TokenResponse::bare(access, scope))
}

/// The words of the client's registration that mean something without a user.
fn registered(scopes: &Scopes<'_>, client: &Client) -> Scope {
    let words = client.metadata.scope.iter().flat_map(Scope::iter);
    words.filter(|word| !scopes.is_about_user(word)).map(str::to_owned).collect()
}
