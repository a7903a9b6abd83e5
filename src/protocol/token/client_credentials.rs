//! A token for the client itself (RFC 6749 §4.4): signed, and nothing is read or written for it.
//!
//! Scopes about users mean nothing without one, so they are refused where they are asked for and left out where
//! nothing is: what remains are the words of the client's own registration, which the APIs behind it understand.

use futures_util::future::BoxFuture;

use super::issue::TokenResponse;
use super::{Grant, TokenRequest};
use crate::domain::client::{Client, GrantType};
use crate::domain::error::ErrorCode;
use crate::domain::scope::Scope;
use crate::http::Idp;
use crate::protocol::access_token::{self, Basis};
use crate::protocol::error::TokenError;
use crate::protocol::resource::Target;

pub(super) struct ClientCredentials;

impl Grant for ClientCredentials {
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
    let scope = scope(idp, client, parameters.get("scope"))?;
    let audience = Target::of(parameters, issuer, client)?.of_client(&scope)?;
    let access = access_token::issue(idp, issuer, client, Basis::Client, scope.clone(), audience).await?;
    Ok(TokenResponse::bare(access, scope))
}

fn scope(idp: &Idp, client: &Client, asked: Option<&str>) -> Result<Scope, TokenError> {
    let of_users = idp.scopes();
    let registered = client.metadata.scope.iter().flat_map(Scope::iter);
    let own: Scope = registered.filter(|word| !of_users.contains(word)).map(str::to_owned).collect();
    match asked.map(Scope::parse) {
        None => Ok(own),
        Some(asked) if asked.is_subset(&own) => Ok(asked),
        Some(_) => Err(TokenError::new(
            ErrorCode::InvalidScope,
            "a scope that the client is not registered for, or that is about a user",
        )),
    }
}
