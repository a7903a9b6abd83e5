//! How a client proves itself (RFC 6749 §2.3, OpenID Connect Core §9): by the one method it registered, once per request.
//! A client with a secret that registered no method uses Basic or the form, again one of them per request.
//!
//! [`ClientRequest`] is how `/token`, `/introspect`, `/revoke` and `/par` begin: one form, each parameter once, and the
//! authenticated client. A handler that takes it as an argument cannot forget any of that.

mod assertion;
mod basic;
mod secret_rate_limit;

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;

use self::basic::BasicSecret;
use self::secret_rate_limit::SecretAttempt;
use super::error::TokenError;
use super::parameters::{self, Parameters};
use crate::audit::Entry;
use crate::crypto::secret::{self, Secret};
use crate::domain::audit::Actor;
use crate::domain::client::{Client, ClientAuthentication};
use crate::domain::error::{ErrorCode, OAuthError};
use crate::domain::event::Event;
use crate::domain::ids::{ClientId, Hash};
use crate::domain::issuer::Issuer;
use crate::http::{ClientAddress, CurrentIssuer};
use crate::provider::{Idp, Internal};

/// A form posted to an issuer by a client that proved itself.
pub(super) struct ClientRequest {
    /// The issuer asked.
    pub(super) issuer: Arc<Issuer>,
    /// The client.
    pub(super) client: Arc<Client>,
    /// Each there once, except `resource`.
    pub(super) parameters: Parameters,
}

impl FromRequest<Idp> for ClientRequest {
    type Rejection = Response;

    async fn from_request(request: Request, idp: &Idp) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let current = CurrentIssuer::from_request_parts(&mut parts, idp).await;
        let CurrentIssuer { issuer, .. } = current.map_err(IntoResponse::into_response)?;
        let Ok(address) = ClientAddress::from_request_parts(&mut parts, idp).await;
        let (uri, headers) = (parts.uri.clone(), parts.headers.clone());
        let body = Bytes::from_request(Request::from_parts(parts, body), idp).await;
        let body = body.map_err(IntoResponse::into_response)?;
        if !parameters::is_form(&headers) {
            return Err(TokenError::MediaType.into_response());
        }
        let parameters =
            Parameters::of_form(&uri, &headers, &body).and_then(|all| all.each_once().map(|()| all));
        let parameters = parameters.map_err(|error| TokenError::from(error).into_response())?;
        let proved = authenticate(idp, &issuer, address, &headers, &parameters).await;
        let client = proved.map_err(IntoResponse::into_response)?;
        Ok(Self { issuer, client, parameters })
    }
}

/// What the request brings along as proof.
enum Credentials<'a> {
    None,
    Basic(BasicSecret),
    Post(Secret),
    Assertion(&'a str),
}

impl Credentials<'_> {
    /// The method used, for the log. Which kind of assertion it is only its client's registration tells.
    const fn method(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Basic(_) => "client_secret_basic",
            Self::Post(_) => "client_secret_post",
            Self::Assertion(_) => "client_assertion",
        }
    }
}

/// The client that sent the request, if it proves that it is.
async fn authenticate(
    idp: &Idp,
    issuer: &Issuer,
    address: ClientAddress,
    headers: &HeaderMap,
    parameters: &Parameters,
) -> Result<Arc<Client>, TokenError> {
    let (id, credentials) = presented(headers, parameters)
        .inspect_err(|error| log(error, parameters.get("client_id"), None, None))
        .inspect_err(|error| refuse(idp, issuer, address, None, error))?;
    let Some(client) = idp.catalogue().client(&issuer.id, &id).await.map_err(Internal::from)? else {
        let error = failed("unknown client");
        log(&error, Some(id.as_str()), Some(&credentials), None);
        refuse(idp, issuer, address, None, &error);
        return Err(error);
    };
    let proved = prove(idp, issuer, &client, address, &credentials).await;
    proved
        .inspect_err(|error| log(error, Some(id.as_str()), Some(&credentials), Some(&client)))
        .inspect_err(|error| refuse(idp, issuer, address, Some(&client.id), error))?;
    Ok(client)
}

/// Checks the credentials by the client's registered method. A wrong secret is one guess, however it was sent.
async fn prove(
    idp: &Idp,
    issuer: &Issuer,
    client: &Client,
    address: ClientAddress,
    credentials: &Credentials<'_>,
) -> Result<(), TokenError> {
    let is_right = match (&client.authentication, credentials) {
        (ClientAuthentication::None, Credentials::None) => return Ok(()),
        (
            ClientAuthentication::ClientSecret(hash) | ClientAuthentication::ClientSecretBasic(hash),
            Credentials::Basic(secret),
        ) => secret.is(hash),
        (
            ClientAuthentication::ClientSecret(hash) | ClientAuthentication::ClientSecretPost(hash),
            Credentials::Post(secret),
        ) => is_secret(secret, hash),
        (ClientAuthentication::ClientSecretJwt(sealed), Credentials::Assertion(assertion)) => {
            let attempt = SecretAttempt::begin(idp, client, address)?;
            return assertion::made_with(idp, issuer, client, sealed, assertion, &attempt).boxed().await;
        }
        (ClientAuthentication::PrivateKeyJwt(_), Credentials::Assertion(assertion)) => {
            return assertion::signed(idp, issuer, client, assertion).boxed().await;
        }
        _ => return Err(failed("another method than the registered one")),
    };
    let attempt = SecretAttempt::begin(idp, client, address)?;
    if is_right {
        return Ok(());
    }
    attempt.was_wrong();
    Err(failed("wrong secret"))
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

/// Records a failed authentication. A name that is no client's may be a secret, so it is left out.
fn refuse(idp: &Idp, issuer: &Issuer, address: ClientAddress, client: Option<&ClientId>, error: &TokenError) {
    let TokenError::Refused(error) = error else { return };
    let reason = error.hint.as_deref().unwrap_or(&error.description).to_owned();
    let event = Event::ClientRefused { issuer: issuer.id.clone(), client: client.cloned(), reason };
    let entry = Entry::new(idp.now(), Actor::Anonymous, event);
    idp.refuse(entry.with_network(address.network().as_deref()));
}

/// One line for each failed authentication, because most of them are applications that were set up wrongly. A text that
/// is no registered client's id is left out where it is long enough for a client secret: some send the two swapped.
fn log(
    error: &TokenError,
    client: Option<&str>,
    used: Option<&Credentials<'_>>,
    registered: Option<&Client>,
) {
    let TokenError::Refused(error) = error else { return };
    let may_name = |id: &&str| registered.is_some() || id.len() < ClientAuthentication::SECRET_MIN;
    let method =
        |client: &Client| client.authentication.method().unwrap_or(ClientAuthentication::UNREGISTERED);
    tracing::info!(
        client = client.filter(may_name),
        used = used.map(Credentials::method),
        registered = registered.map(method),
        reason = error.hint.as_deref().unwrap_or(&error.description),
        "client authentication failed"
    );
}
