//! The first half of an authorization request: who asks, and where the answer may go.
//!
//! Errors here are shown on a page, because the redirect URI is not yet known to be the client's.

use std::sync::Arc;

use axum::http::{HeaderMap, Method, Uri};

use super::{AuthorizeError, ResponseTarget, modes};
use crate::domain::client::{Client, ResponseType};
use crate::domain::error::{ErrorCode, OAuthError};
use crate::domain::ids::ClientId;
use crate::domain::issuer::Issuer;
use crate::protocol::parameters::Parameters;
use crate::provider::Idp;

/// The most bytes of a `state`: what fits into a `Location` header however it is encoded.
pub(crate) const MAX_STATE: usize = 4096;

/// The parameters of a request: of a GET those of the query, of a POST those of the body and no others.
pub(crate) fn parameters(
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Parameters, AuthorizeError> {
    let parsed = if method == Method::POST {
        Parameters::of_form(uri, headers, body)
    } else {
        Parameters::parse(uri.query().unwrap_or_default().as_bytes())
    };
    parsed.map_err(AuthorizeError::Show)
}

/// The client that asks.
pub(super) async fn client(
    idp: &Idp,
    issuer: &Issuer,
    parameters: &Parameters,
) -> Result<Arc<Client>, AuthorizeError> {
    let named = parameters.get("client_id").filter(|_| !parameters.is_doubled("client_id"));
    let Some(id) = named else { return show("client_id is missing or was sent more than once") };
    match idp.catalogue().client(&issuer.id, &ClientId::new(id)).await? {
        Some(client) => Ok(client),
        None => show("there is no such client here"),
    }
}

/// Where the answer goes. The redirect URI must be there (OpenID Connect Core §3.1.2.1) and be a registered one.
pub(super) fn target(client: &Client, parameters: &Parameters) -> Result<ResponseTarget, AuthorizeError> {
    let named = parameters.get("redirect_uri").filter(|_| !parameters.is_doubled("redirect_uri"));
    let Some(redirect_uri) = named else { return show("redirect_uri is missing or was sent more than once") };
    if client.redirect_uri(redirect_uri).is_none() {
        return show("redirect_uri is not registered for this client");
    }
    let state = parameters.get("state").filter(|_| !parameters.is_doubled("state"));
    if state.is_some_and(|state| state.len() > MAX_STATE) {
        return show("state is longer than 4096 bytes");
    }
    let mode = parameters.get("response_mode").filter(|_| !parameters.is_doubled("response_mode"));
    let mode = mode.and_then(modes::named).unwrap_or_else(|| modes::default_of(ResponseType::Code));
    Ok(ResponseTarget {
        redirect_uri: redirect_uri.to_owned(),
        response_mode: mode,
        state: state.map(str::to_owned),
    })
}

pub(super) fn show<T>(description: &'static str) -> Result<T, AuthorizeError> {
    Err(AuthorizeError::Show(OAuthError::new(ErrorCode::InvalidRequest, description)))
}
