//! The sign-in: the code flow with PKCE, state and nonce.

use serde::Deserialize;
use url::Url;

use super::content::{PendingSignIn, SessionContent};
use super::{RelyingParty, RpError};
use crate::crypto::secret::Secret;
use crate::domain::ids::{SessionId, UserId};
use crate::oidc_client::CallbackParameters;

/// The number of sign-ins that one browser may have begun, for example in several tabs; beyond it the oldest is dropped.
const PENDING: usize = 10;
/// The lifetime of a session before the sign-in is complete.
const PENDING_LIFETIME: std::time::Duration = std::time::Duration::from_hours(1);

/// The authorization response in the browser's query (RFC 6749 §4.1.2, RFC 9207).
#[derive(Deserialize)]
pub struct SignInResponse {
    code: Option<String>,
    state: Option<String>,
    iss: Option<String>,
    error: Option<String>,
}

impl RelyingParty {
    /// Begins a sign-in. Returns the address to send the browser to, and the cookie to set.
    pub async fn begin_sign_in(&self, cookie: Option<&str>) -> Result<(Url, String), RpError> {
        let (url, pending) = self.authorization_request().await?;
        if let Some(cookie) = cookie {
            let added = self.change(cookie, |session| {
                session.content.pending.insert(0, pending.clone());
                session.content.pending.truncate(PENDING);
                Some(())
            });
            if added.await?.is_some() {
                return Ok((url, cookie.to_owned()));
            }
        }
        let content = SessionContent { pending: vec![pending], ..SessionContent::default() };
        let expires_at = self.handle.clock.now().plus(PENDING_LIFETIME);
        let cookie = self.insert(&content, expires_at).await?;
        Ok((url, cookie.expose().to_owned()))
    }

    /// Completes a sign-in. Returns the new cookie to set: an attacker may know the old one (session fixation).
    pub async fn complete_sign_in(
        &self,
        cookie: Option<&str>,
        response: &SignInResponse,
    ) -> Result<String, RpError> {
        let stray = || RpError::refused("the answer is not for this browser (state)");
        let (cookie, state) = cookie.zip(response.state.as_deref()).ok_or_else(stray)?;
        // Claimed before it is redeemed: a response that comes twice is redeemed once.
        let pending = self.change(cookie, |session| take(&mut session.content.pending, state)).await?;
        let pending = pending.ok_or_else(stray)?;
        let callback = CallbackParameters {
            code: response.code.as_deref(),
            iss: response.iss.as_deref(),
            error: response.error.as_deref(),
            nonce: pending.nonce,
            verifier: pending.verifier,
        };
        let user = self.redeem(&callback).await?;
        let renewed = Secret::generate();
        let expires_at = self.handle.clock.now().plus(self.session_lifetime);
        let signed_in = self.change(cookie, |session| {
            session.row.cookie = renewed.hash();
            session.row.sid = user.sid.as_deref().and_then(SessionId::named);
            session.row.subject = UserId::named(&user.subject);
            session.row.expires_at = expires_at;
            session.content.user = Some(user.tokens.clone());
            Some(())
        });
        signed_in.await?.ok_or(RpError::Ended)?;
        Ok(renewed.expose().to_owned())
    }
}

/// Removes the sign-in with this `state`.
fn take(pending: &mut Vec<PendingSignIn>, state: &str) -> Option<PendingSignIn> {
    let at = pending.iter().position(|pending| pending.state == state)?;
    Some(pending.remove(at))
}
