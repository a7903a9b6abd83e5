//! RP-initiated logout (OpenID Connect RP-Initiated Logout 1.0): what a client asks for, and what it proved.
//!
//! `interaction` asks the user and ends the session. Why only a hint leads back to the client: an address in a link
//! that anybody can write must not decide where a user lands.
//!
//! A hint may have expired (RP-Initiated Logout §2). It has then been in logs and histories for a while, so it proves who
//! asks and not that the user does: what ends a session is the session's own cookie beside it. A client registered with
//! `backend_logout` ends sessions without the user's browser, by a hint that has not expired.

use std::sync::Arc;

use super::authorize::respond::with_query;
use super::id_token_hint::{self, Hint};
use super::parameters::Parameters;
use super::subject;
use crate::domain::client::Client;
use crate::domain::error::{ErrorCode, OAuthError};
use crate::domain::ids::{SessionId, UserId};
use crate::domain::issuer::Issuer;
use crate::http::{Idp, Internal};

/// A logout request.
#[derive(Clone, Debug)]
pub(crate) enum LogoutRequest {
    /// The client showed an ID token of ours. If it tells of the browser's session, the user is not asked.
    Hinted {
        /// Who asks.
        client: Arc<Client>,
        /// Whom it means.
        user: UserId,
        /// Which session it means.
        session: SessionId,
        /// Where the browser goes in the end, `state` included; otherwise it stays on our page.
        redirect: Option<String>,
        /// May it end the session without the user's browser?
        from_backend: bool,
    },
    /// Nobody proved anything: the user decides, and stays here.
    Unproven,
}

/// Why a logout request is answered with an error page.
#[derive(Clone, Debug)]
pub(crate) enum LogoutError {
    /// The request's fault.
    Refused(OAuthError),
    /// Ours.
    Internal(Internal),
}

impl From<Internal> for LogoutError {
    fn from(error: Internal) -> Self {
        Self::Internal(error)
    }
}

impl From<OAuthError> for LogoutError {
    fn from(error: OAuthError) -> Self {
        Self::Refused(error)
    }
}

/// Reads the parameters of `/logout`.
pub(crate) async fn parse(
    idp: &Idp,
    issuer: &Issuer,
    parameters: &Parameters,
) -> Result<LogoutRequest, LogoutError> {
    parameters.each_once()?;
    let Some(token) = parameters.get("id_token_hint") else { return Ok(LogoutRequest::Unproven) };
    let Some(hint) = id_token_hint::verify(idp, issuer, token).await? else {
        return refuse("id_token_hint is not an ID token of this issuer");
    };
    if parameters.get("client_id").is_some_and(|id| id != hint.client.as_str()) {
        return refuse("client_id and id_token_hint name different clients");
    }
    let client = idp.catalogue().client(&issuer.id, &hint.client).await.map_err(Internal::from)?;
    let Some(client) = client else {
        return refuse("the client of the id_token_hint is not registered");
    };
    let redirect = redirect(&client, parameters)?;
    let from_backend = client.metadata.backend_logout && hint.exp > idp.now();
    let Hint { sub, sid, .. } = hint;
    // What is no name of the sector is of the time when the client knew public ones: the token is ours in any case.
    let user = subject::user(idp, &client, &sub).await?.unwrap_or_else(|| UserId::new(sub));
    let session = subject::session(idp, &client, &sid).await?.unwrap_or_else(|| SessionId::new(sid));
    Ok(LogoutRequest::Hinted { client, user, session, redirect, from_backend })
}

/// Registered addresses are matched letter by letter (§3).
fn redirect(client: &Client, parameters: &Parameters) -> Result<Option<String>, LogoutError> {
    let Some(uri) = parameters.get("post_logout_redirect_uri") else { return Ok(None) };
    if !client.metadata.post_logout_redirect_uris.iter().any(|known| known.as_str() == uri) {
        return refuse("post_logout_redirect_uri is not registered for this client");
    }
    let state = parameters.get("state").map(|state| ("state", state.to_owned()));
    Ok(Some(match state {
        Some(state) => with_query(uri, [state]),
        None => uri.to_owned(),
    }))
}

fn refuse<T>(description: &'static str) -> Result<T, LogoutError> {
    Err(OAuthError::new(ErrorCode::InvalidRequest, description).into())
}
