//! The authorization endpoint without its pages: a request becomes a [`Validated`] one, an outcome a [`Delivery`].
//!
//! `interaction` owns the address itself. Until client and redirect URI are proven an error is *shown*; afterwards
//! it goes *back to the client*. Two variants of [`AuthorizeError`], so that the compiler keeps them apart.

mod checks;
mod issue;
mod parse;
pub(crate) mod respond;

use std::sync::Arc;

use self::checks::{Draft, Hinted};
use super::id_token_hint;
use super::parameters::Parameters;
use crate::domain::audience::Audience;
use crate::domain::claims::ClaimsRequest;
use crate::domain::client::Client;
use crate::domain::error::OAuthError;
use crate::domain::issuer::Issuer;
use crate::domain::request::{AuthorizationRequest, Prompt, ResponseMode};
use crate::domain::scope::Scope;
use crate::http::{Idp, Internal};

pub(crate) use issue::{Login, NewCode, issue_code};
pub(crate) use parse::parameters;
pub(crate) use respond::Delivery;

/// A request that passed every check, with the client that made it. Only this module can make one.
#[derive(Clone, Debug)]
pub(crate) struct Validated {
    request: AuthorizationRequest,
    client: Arc<Client>,
}

impl Validated {
    /// The request.
    pub(crate) const fn request(&self) -> &AuthorizationRequest {
        &self.request
    }

    /// The client.
    pub(crate) const fn client(&self) -> &Arc<Client> {
        &self.client
    }
}

/// Where and how the answer goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// Matched with a registered one.
    pub(crate) redirect_uri: String,
    /// `query` unless the request named another that exists.
    pub(crate) response_mode: ResponseMode,
    /// Given back byte for byte.
    pub(crate) state: Option<String>,
}

impl From<&AuthorizationRequest> for Target {
    fn from(request: &AuthorizationRequest) -> Self {
        Self {
            redirect_uri: request.redirect_uri.clone(),
            response_mode: request.response_mode,
            state: request.state.clone(),
        }
    }
}

/// Why a request was not accepted, by where the error goes.
#[derive(Clone, Debug)]
pub(crate) enum AuthorizeError {
    /// Client or redirect URI is not proven: a page with status 400, never a redirect (RFC 6749 §4.1.2.1).
    Show(OAuthError),
    /// Back to the client.
    Redirect(Target, OAuthError),
    /// Our fault, or the store's: a page.
    Internal(Internal),
}

impl<E: Into<Internal>> From<E> for AuthorizeError {
    fn from(error: E) -> Self {
        Self::Internal(error.into())
    }
}

/// Checks a request from end to end.
pub(crate) async fn validate(
    idp: &Idp,
    issuer: &Issuer,
    parameters: &Parameters,
) -> Result<Validated, AuthorizeError> {
    let client = parse::client(idp, issuer, parameters).await?;
    let target = parse::target(&client, parameters)?;
    let hinted = match parameters.get("id_token_hint") {
        None => Hinted::Nobody,
        Some(token) => match id_token_hint::verify(idp, issuer, token).await? {
            Some(hint) if hint.client == client.id => Hinted::User(hint.user),
            _ => Hinted::Stranger,
        },
    };
    let request = blank(issuer, &client, &target);
    let mut draft = Draft { parameters, issuer, client: &client, hinted, scopes: idp.scopes(), request };
    match checks::run(&mut draft) {
        Ok(()) => Ok(Validated { request: draft.request, client }),
        Err(error) => Err(AuthorizeError::Redirect(target, error)),
    }
}

/// A request that was stored when it had passed every check: client and redirect URI must still stand.
pub(crate) async fn resume(
    idp: &Idp,
    issuer: &Issuer,
    request: AuthorizationRequest,
) -> Result<Validated, AuthorizeError> {
    let client = idp.catalogue().client(&issuer.id, &request.client).await?;
    match client.filter(|client| client.redirect_uri(&request.redirect_uri).is_some()) {
        Some(client) => Ok(Validated { request, client }),
        None => parse::show("the client or its redirect_uri is no longer registered"),
    }
}

/// The request before its parameters were read.
fn blank(issuer: &Issuer, client: &Client, target: &Target) -> AuthorizationRequest {
    AuthorizationRequest {
        issuer: issuer.id.clone(),
        client: client.id.clone(),
        redirect_uri: target.redirect_uri.clone(),
        response_mode: target.response_mode,
        scope: Scope::default(),
        resource: Audience::default(),
        state: target.state.clone(),
        nonce: None,
        code_challenge: None,
        prompt: Prompt::default(),
        max_age: None,
        acr_values: Vec::new(),
        claims: ClaimsRequest::default(),
        login_hint: None,
        expected_sub: None,
        ui_locales: Vec::new(),
    }
}
