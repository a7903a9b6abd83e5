//! The authorization endpoint without its pages: a request becomes a [`Validated`] one, an outcome an
//! [`AuthorizationResponse`].
//!
//! `interaction` owns the address itself. Until client and redirect URI are proven an error is *shown*; afterwards
//! it goes *back to the client*. Two variants of [`AuthorizeError`], so that the compiler keeps them apart.

mod checks;
mod issue;
pub(super) mod modes;
mod parse;
pub(crate) mod response;

use std::sync::Arc;

use self::checks::{Draft, Hinted};
use super::parameters::Parameters;
use super::request_object::RequestObject;
use super::{id_token_hint, par, subject};
use crate::domain::client::Client;
use crate::domain::error::{ErrorCode, OAuthError};
use crate::domain::ids::{Hash, InteractionId};
use crate::domain::issuer::Issuer;
use crate::domain::request::{AuthorizationRequest, ResponseMode};
use crate::provider::{Idp, Internal};

pub(crate) use issue::{CompletedLogin, NewCode, issue_code};
pub(super) use parse::MAX_STATE;
pub(crate) use parse::parameters;
pub(crate) use response::{AuthorizationResponse, ResponseDelivery};

/// A request that passed every check, with the client that made it. Only this module can make one.
#[derive(Clone, Debug)]
pub(crate) struct Validated {
    request: AuthorizationRequest,
    client: Arc<Client>,
    pushed: Option<Hash>,
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

    /// The pushed request that it was, which the login that begins with it must use up.
    pub(crate) const fn pushed(&self) -> Option<&Hash> {
        self.pushed.as_ref()
    }

    pub(super) fn pushed_as(self, hash: Hash) -> Self {
        Self { pushed: Some(hash), ..self }
    }
}

/// The way by which the parameters of a request came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RequestChannel {
    /// Through the browser.
    Front,
    /// From the client itself, which proved who it is (RFC 9126).
    Back,
}

/// The destination of the authorization response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ResponseTarget {
    /// The redirect URI; a registered one matches it.
    pub(crate) redirect_uri: String,
    /// The mode that the request names, or the default of its response type.
    pub(crate) response_mode: ResponseMode,
    /// The request's `state`, returned byte for byte.
    pub(crate) state: Option<String>,
}

impl From<&AuthorizationRequest> for ResponseTarget {
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
    Redirect(ResponseTarget, OAuthError),
    /// A pushed request with which this login was begun: its browser goes on there, for all others it is void.
    Begun(InteractionId),
    /// Our fault, or the store's: a page.
    Internal(Internal),
}

impl<E: Into<Internal>> From<E> for AuthorizeError {
    fn from(error: E) -> Self {
        Self::Internal(error.into())
    }
}

/// Reads a request at the authorization endpoint: a pushed one that was checked before, or one to be checked now.
pub(crate) async fn validate(
    idp: &Idp,
    issuer: &Issuer,
    parameters: &Parameters,
) -> Result<Validated, AuthorizeError> {
    let client = parse::client(idp, issuer, parameters).await?;
    if par::is_used(parameters) {
        return par::pushed(idp, issuer, &client, parameters).await;
    }
    check(idp, issuer, client, parameters, RequestChannel::Front).await
}

/// Checks a client's request from end to end. `outer` may hold it all in a request object.
pub(super) async fn check(
    idp: &Idp,
    issuer: &Issuer,
    client: Arc<Client>,
    outer: &Parameters,
    channel: RequestChannel,
) -> Result<Validated, AuthorizeError> {
    let object = match RequestObject::read(idp, issuer, &client, outer).await {
        Ok(object) => object,
        // Nothing inside is proven. What stands outside proves as much as in a request without an object.
        Err(error) => return Err(back_or_page(&client, outer, error)),
    };
    let parameters = object.as_ref().map_or(outer, |object| &object.parameters);
    let target = parse::target(&client, parameters)?;
    let hinted = match parameters.get("id_token_hint") {
        None => Hinted::Nobody,
        Some(token) => match id_token_hint::verify(idp, issuer, token).await? {
            Some(hint) if hint.client == client.id => Hinted::User(hint.sub),
            _ => Hinted::Stranger,
        },
    };
    let request = blank(issuer, &client, &target);
    let (is_signed, scopes) = (object.is_some(), idp.scopes().await?);
    let must_push = idp.settings().require_pushed_authorization_requests
        || client.metadata.require_pushed_authorization_requests;
    let is_pushed_as_needed = channel == RequestChannel::Back || !must_push;
    let mut draft = Draft {
        parameters,
        issuer,
        client: &client,
        is_signed,
        is_pushed_as_needed,
        hinted,
        scopes: &scopes,
        request,
    };
    if let Err(error) = checks::run(&mut draft) {
        return Err(AuthorizeError::Redirect(target, error));
    }
    let mut request = draft.request;
    if let Some(sub) = &request.expected_sub {
        // No user has an empty id.
        let user = subject::user(idp, &client, sub).await?;
        request.expected_sub = Some(user.map_or_else(String::new, |user| user.to_string()));
    }
    if let Some(object) = &object
        && !object.claim(idp, issuer, &client).await?
    {
        let again = OAuthError::new(ErrorCode::InvalidRequestObject, "the request object was used before");
        return Err(AuthorizeError::Redirect(target, again));
    }
    Ok(Validated { request, client, pushed: None })
}

/// An error that goes back to the client, if the way there is proven.
fn back_or_page(client: &Client, parameters: &Parameters, error: OAuthError) -> AuthorizeError {
    match parse::target(client, parameters) {
        Ok(target) => AuthorizeError::Redirect(target, error),
        Err(_) => AuthorizeError::Show(error),
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
        Some(client) => Ok(Validated { request, client, pushed: None }),
        None => parse::show("the client or its redirect_uri is no longer registered"),
    }
}

/// The request before its parameters were read.
fn blank(issuer: &Issuer, client: &Client, target: &ResponseTarget) -> AuthorizationRequest {
    AuthorizationRequest {
        redirect_uri: target.redirect_uri.clone(),
        response_mode: target.response_mode,
        state: target.state.clone(),
        ..AuthorizationRequest::blank(issuer.id.clone(), client.id.clone())
    }
}
