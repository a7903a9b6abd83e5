//! The access token of a session, refreshed when it has expired.
//!
//! A refresh token works once: a second use revokes everything that came from it. So the refresh is claimed in the row, and
//! the loser of the race, on this node or another, waits for the winner's tokens.

use std::time::Duration;

use super::client::{DEADLINE, Refreshed};
use super::content::UserTokens;
use super::rows::OpenedSession;
use super::{RelyingParty, RpError, Session};
use crate::domain::time::Time;

/// An access token is refreshed this long before its end, so that the provider still accepts it.
const MARGIN: Duration = Duration::from_secs(10);
/// The time between two looks at a row that another request refreshes.
const POLL: Duration = Duration::from_millis(50);

impl Session<'_> {
    /// A valid access token. [`RpError::Ended`] if the session has ended, here or at the provider.
    pub async fn access_token(&self) -> Result<String, RpError> {
        let valid = tokio::time::timeout(2 * DEADLINE, self.party.valid_access_token(&self.cookie));
        let late = |_| Err(RpError::Unavailable("the tokens are not refreshed in time".to_owned()));
        valid.await.unwrap_or_else(late)
    }
}

impl RelyingParty {
    async fn valid_access_token(&self, cookie: &str) -> Result<String, RpError> {
        loop {
            let OpenedSession { row, content } = self.open(cookie).await?.ok_or(RpError::Ended)?;
            let (tokens, subject) = content.user.zip(row.subject.clone()).ok_or(RpError::Ended)?;
            let now = self.handle.clock.now();
            if is_valid(&tokens, now) {
                return Ok(tokens.access_token);
            }
            if self.claim_refresh(&row, now.plus(2 * DEADLINE)).await? {
                let Refreshed::Tokens(fresh) = self.refresh(&tokens, subject.as_str()).await? else {
                    self.end(cookie).await?;
                    return Err(RpError::Ended);
                };
                let stored = self.change(cookie, |session| {
                    session.content.user = Some((*fresh).clone());
                    Some(())
                });
                stored.await?.ok_or(RpError::Ended)?;
                return Ok(fresh.access_token);
            }
            tokio::time::sleep(POLL).await;
        }
    }
}

fn is_valid(tokens: &UserTokens, now: Time) -> bool {
    tokens.access_expires_at.is_none_or(|at| now.plus(MARGIN) < at)
}
