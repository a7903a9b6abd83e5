//! The sign-out that the user begins here (RP-Initiated Logout 1.0).

use url::Url;

use super::content::SessionContent;
use super::{RelyingParty, RpError, Session};
use crate::crypto::secret::Secret;

impl Session<'_> {
    /// Ends the user's session here. Returns the address that ends it at the provider too, and the cookie to set.
    pub async fn begin_sign_out(self) -> Result<(Url, String), RpError> {
        let (state, renewed) = (Secret::generate(), Secret::generate());
        let url = self.party.end_session_url(&self.tokens.id_token, state.expose()).await?;
        let left = self.party.change(&self.cookie, |session| {
            session.row.cookie = renewed.hash();
            (session.row.sid, session.row.subject) = (None, None);
            session.content =
                SessionContent { signing_out: Some(state.expose().to_owned()), ..SessionContent::default() };
            Some(())
        });
        left.await?.ok_or(RpError::Ended)?;
        Ok((url, renewed.expose().to_owned()))
    }
}

impl RelyingParty {
    /// Completes a sign-out when the browser comes back with its `state`, and forgets the browser.
    pub async fn complete_sign_out(&self, cookie: Option<&str>, state: Option<&str>) -> Result<(), RpError> {
        let stray = || RpError::refused("no sign-out was begun in this browser");
        let cookie = cookie.ok_or_else(stray)?;
        let session = self.open(cookie).await?.ok_or_else(stray)?;
        if session.content.signing_out.is_none() || session.content.signing_out.as_deref() != state {
            return Err(stray());
        }
        if self.end(cookie).await? { Ok(()) } else { Err(stray()) }
    }
}
