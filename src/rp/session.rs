//! The session of a user at a relying party: the one handle that portals are given.

use super::content::UserTokens;
use super::rows::OpenedSession;
use super::{RelyingParty, RpError};
use crate::domain::ids::UserId;

/// A user who is signed in at a relying party.
pub struct Session<'p> {
    pub(super) party: &'p RelyingParty,
    /// The cookie of the browser.
    pub(super) cookie: String,
    pub(super) subject: UserId,
    pub(super) tokens: UserTokens,
}

impl RelyingParty {
    /// The session of the browser with this cookie; `None` if no user is signed in there.
    pub async fn session(&self, cookie: Option<&str>) -> Result<Option<Session<'_>>, RpError> {
        let Some(cookie) = cookie else { return Ok(None) };
        let Some(OpenedSession { row, content }) = self.open(cookie).await? else { return Ok(None) };
        let signed_in = content.user.zip(row.subject);
        Ok(signed_in.map(|(tokens, subject)| Session {
            party: self,
            cookie: cookie.to_owned(),
            subject,
            tokens,
        }))
    }
}

impl Session<'_> {
    /// The user, by the claim `sub`.
    pub fn subject(&self) -> &UserId {
        &self.subject
    }

    /// The tokens as they were when the session was read.
    pub fn tokens(&self) -> &UserTokens {
        &self.tokens
    }
}
