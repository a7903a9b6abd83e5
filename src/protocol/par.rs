//! Pushed authorization requests (RFC 9126): a client sends its request here first, proves itself, and gives the browser
//! a reference to it alone.
//!
//! What is stored is the request as the checks left it: the same checks as at `/authorize`, run now. The reference is a
//! secret of one redirect: bound to issuer and client, short-lived, and used up in the very write that begins a login.
//! The browser that did so may come again, as a reload does, and is led to its login (RFC 9126 §4 allows that); for
//! everybody else there is nothing any more.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::authorize::{self, AuthorizeError, RequestChannel, Validated};
use super::client_auth::ClientRequest;
use super::error::{NOT_STORED, TokenError};
use super::parameters::Parameters;
use crate::crypto::secret::{self, Secret};
use crate::domain::client::Client;
use crate::domain::error::{ErrorCode, OAuthError};
use crate::domain::issuer::Issuer;
use crate::provider::{Idp, Internal};
use crate::storage::pushed_requests::{self, Pushed};

/// RFC 9126 §2.2
const PREFIX: &str = "urn:ietf:params:oauth:request_uri:";

/// `POST /par`
pub(super) async fn par(
    State(idp): State<Idp>,
    ClientRequest { issuer, client, parameters }: ClientRequest,
) -> Result<Response, TokenError> {
    // RFC 9126 §2.1
    if parameters.get("request_uri").is_some() {
        return Err(TokenError::new(ErrorCode::InvalidRequest, "request_uri cannot be pushed"));
    }
    let validated = authorize::check(&idp, &issuer, client, &parameters, RequestChannel::Back).await?;
    let lifetime = idp.settings().pushed_request_lifetime;
    let Some(secret) = store(&idp, &validated).await? else {
        return Err(TokenError::TooMany { what: "too many open requests", retry_after: lifetime });
    };
    let answer = json!({
        "request_uri": format!("{PREFIX}{}", secret.expose()),
        "expires_in": lifetime.as_secs(),
    });
    Ok((StatusCode::CREATED, NOT_STORED, Json(answer)).into_response())
}

/// Stores the request and gives the secret that names it; `None`: too many of the client's are waiting.
async fn store(idp: &Idp, validated: &Validated) -> Result<Option<Secret>, TokenError> {
    let settings = idp.settings();
    let (secret, now, cap) = (Secret::generate(), idp.now(), settings.pushed_requests_per_client);
    let expires_at = now.plus(settings.pushed_request_lifetime);
    let (hash, request, epoch) = (secret.hash(), validated.request().clone(), validated.client().epoch);
    let write = idp.db().write(move |tx| {
        let (hash, request) = (hash.clone(), request.clone());
        Box::pin(
            async move { pushed_requests::insert(tx, &hash, &request, epoch, expires_at, now, cap).await },
        )
    });
    Ok(write.await.map_err(Internal::from)?.then_some(secret))
}

/// Does the request name a pushed one? An address elsewhere is something else.
pub(super) fn is_used(parameters: &Parameters) -> bool {
    parameters.all("request_uri").any(|uri| uri.starts_with(PREFIX))
}

/// The pushed request that this one names. All its other parameters count for nothing (RFC 9126 §4).
pub(super) async fn pushed(
    idp: &Idp,
    issuer: &Issuer,
    client: &Client,
    parameters: &Parameters,
) -> Result<Validated, AuthorizeError> {
    let alone = !parameters.is_doubled("request_uri") && parameters.get("request").is_none();
    let named = parameters.get("request_uri").filter(|_| alone).and_then(|uri| uri.strip_prefix(PREFIX));
    let Some(reference) = named else {
        let wrong = "request_uri must be sent once and without request";
        return Err(AuthorizeError::Show(OAuthError::new(ErrorCode::InvalidRequest, wrong)));
    };
    let hash = secret::hash(reference);
    let found = {
        let mut reader = idp.db().read();
        pushed_requests::by_hash(&mut reader.tx(), &hash, idp.now()).await?
    };
    let theirs = |found: &Pushed| {
        found.request.issuer == issuer.id && found.request.client == client.id && found.epoch == client.epoch
    };
    let found = found.filter(theirs);
    match found {
        None => Err(AuthorizeError::Show(void())),
        Some(found) => match found.login {
            Some(login) => Err(AuthorizeError::Begun(login)),
            None => Ok(authorize::resume(idp, issuer, found.request).await?.pushed_as(hash)),
        },
    }
}

/// The same error for an unknown, foreign, expired or used `request_uri`.
pub(crate) fn void() -> OAuthError {
    OAuthError::new(ErrorCode::InvalidRequestUri, "request_uri names nothing that this client may still use")
}
