//! RP-initiated logout (OpenID Connect RP-Initiated Logout 1.0): what a client asks for, and what it proved.
//!
//! `interaction` asks the user and ends the session. The browser only ever goes to an address that is registered for the
//! client that the request names, by `client_id` or by a hint: an address in a link that anybody can write must not
//! decide where a user lands. A hint that tells of the browser's session ends it at once; `client_id` alone is written by
//! anybody, so the user is asked first.
//!
//! A hint may have expired (RP-Initiated Logout §2). It has then been in logs and histories for a while, so it proves who
//! asks and not that the user does: what ends a session is the session's own cookie beside it. A client registered with
//! `backend_logout` ends sessions without the user's browser, by a hint that has not expired.

mod back_channel;

use std::sync::Arc;

use super::authorize::MAX_STATE;
use super::id_token_hint::{self, Hint};
use super::parameters::Parameters;
use super::subject;
use crate::domain::client::Client;
use crate::domain::error::{ErrorCode, OAuthError};
use crate::domain::ids::{ClientId, SessionId, UserId};
use crate::domain::issuer::Issuer;
use crate::http::with_query;
use crate::provider::{Idp, Internal};

pub(crate) use back_channel::logout_request;

/// A logout request.
#[derive(Clone, Debug)]
pub(crate) enum LogoutRequest {
    /// The client showed an ID token of ours. If it tells of the browser's session, the user is not asked.
    Hinted(LogoutClient, HintedSession),
    /// `client_id` names a client, and nothing is proved: the user decides.
    Named(LogoutClient),
    /// No client is named: the user is asked, and the browser stays here.
    Unproven,
}

/// What the ID token of a logout request says.
#[derive(Clone, Debug)]
pub(crate) struct HintedSession {
    /// The user that it names.
    pub(crate) user: UserId,
    /// The session that it names.
    pub(crate) session: SessionId,
    /// May its client end the session without the user's browser?
    pub(crate) from_backend: bool,
    /// Does `client_id` stand beside it?
    pub(crate) is_named: bool,
}

/// The client that asks for a logout.
#[derive(Clone, Debug)]
pub(crate) struct LogoutClient {
    /// Its registration.
    pub(crate) client: Arc<Client>,
    /// The registered address to which the browser goes in the end, `state` included; otherwise it stays on our page.
    pub(crate) redirect: Option<String>,
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
    let named = parameters.get("client_id").map(ClientId::new);
    let Some(token) = parameters.get("id_token_hint") else {
        let by = by(idp, issuer, named.as_ref(), parameters).await?;
        return Ok(by.map_or(LogoutRequest::Unproven, LogoutRequest::Named));
    };
    let Some(hint) = id_token_hint::verify(idp, issuer, token).await? else {
        return refuse("id_token_hint is not an ID token of this issuer");
    };
    if named.as_ref().is_some_and(|id| *id != hint.client) {
        return refuse("client_id and id_token_hint name different clients");
    }
    let Some(by) = by(idp, issuer, Some(&hint.client), parameters).await? else {
        return refuse("the client of the id_token_hint is not registered");
    };
    let client = &by.client;
    let from_backend = client.metadata.backend_logout && hint.exp > idp.now();
    let Hint { sub, sid, .. } = hint;
    // What is no name of the sector is of the time when the client knew public ones: the token is ours in any case.
    let user = subject::user(idp, client, &sub).await?.unwrap_or_else(|| UserId::new(sub));
    let session = subject::session(idp, client, &sid).await?.unwrap_or_else(|| SessionId::new(sid));
    let is_named = named.is_some();
    Ok(LogoutRequest::Hinted(by, HintedSession { user, session, from_backend, is_named }))
}

/// The named client, if this issuer knows it, with the address of the request.
async fn by(
    idp: &Idp,
    issuer: &Issuer,
    named: Option<&ClientId>,
    parameters: &Parameters,
) -> Result<Option<LogoutClient>, LogoutError> {
    let Some(id) = named else { return Ok(None) };
    let client = idp.catalogue().client(&issuer.id, id).await.map_err(Internal::from)?;
    client
        .map(|client| redirect(&client, parameters).map(|redirect| LogoutClient { client, redirect }))
        .transpose()
}

/// Registered addresses are matched letter by letter (§3).
fn redirect(client: &Client, parameters: &Parameters) -> Result<Option<String>, LogoutError> {
    let Some(uri) = parameters.get("post_logout_redirect_uri") else { return Ok(None) };
    if !client.metadata.post_logout_redirect_uris.iter().any(|known| known.as_str() == uri) {
        return refuse("post_logout_redirect_uri is not registered for this client");
    }
    let state = parameters.get("state").map(|state| ("state", state.to_owned()));
    if state.as_ref().is_some_and(|(_, state)| state.len() > MAX_STATE) {
        return refuse("state is longer than 4096 bytes");
    }
    Ok(Some(match state {
        Some(state) => with_query(uri, [state]),
        None => uri.to_owned(),
    }))
}

fn refuse<T>(description: &'static str) -> Result<T, LogoutError> {
    Err(OAuthError::new(ErrorCode::InvalidRequest, description).into())
}
