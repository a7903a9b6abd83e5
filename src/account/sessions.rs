//! A user's sessions: which there are, and how they end.
//!
//! Three ways to end, and why they differ. *Signing out* of one browser ends what lasts as long as the session; a grant
//! with `offline_access` was given so that it outlives exactly that (OpenID Connect Core §11, Back-Channel Logout §2.7).
//! *Ending a session from elsewhere* says that it should not be there, and *signing out everywhere*, like a change of
//! password, that nothing may be trusted any more: then everything that was given out goes, offline or not.
//!
//! The row of a session is deleted before its grants are revoked: a login that is being completed in the session holds
//! the row, so its grant is committed by then and is found. The same write queues the logout tokens for the session's
//! clients (`storage::ended_sessions`).

use super::ending::{self, Spared};
use super::{Account, Error};
use crate::domain::ids::{SessionId, UserId};
use crate::domain::session::Session;
use crate::domain::time::Time;
use crate::domain::user::User;
use crate::storage::{Result, Tx, ended_sessions, grants, sessions};

/// The browser's user signs out: `false` if the session had ended before.
pub(crate) async fn sign_out(tx: &mut Tx<'_>, session: &SessionId, now: Time) -> Result<bool> {
    let ended = ended_sessions::end(tx, session).await?;
    grants::revoke_online(tx, session, now).await?;
    Ok(ended.is_some())
}

/// Ends one of the user's sessions and everything that it gave; `false` if the user has no such session.
pub(crate) async fn end(tx: &mut Tx<'_>, user: &UserId, session: &SessionId, now: Time) -> Result<bool> {
    let ended = ended_sessions::end_own(tx, user, session).await?;
    if ended.is_some() {
        grants::revoke_session(tx, session, now).await?;
    }
    Ok(ended.is_some())
}

/// Ends everything of the user but one session and what it gave; tells how many sessions there were.
pub(crate) async fn end_all(tx: &mut Tx<'_>, user: &UserId, keep: Option<&SessionId>) -> Result<u64> {
    let ended = ending::end_sessions(tx, user, Spared { session: keep, reset: None }).await?;
    Ok(ended.len() as u64)
}

impl Account<'_> {
    /// The user's sessions that still stand, at whichever issuer, the one used last first.
    pub(crate) async fn sessions(&self, user: &User) -> std::result::Result<Vec<Session>, Error> {
        let now = self.now();
        let Some(tenant) = self.catalogue.tenant(&user.tenant).await? else { return Ok(Vec::new()) };
        let mut found = sessions::of_user(&mut self.db.read().tx(), &user.id, now).await?;
        let epoch = user.epoch + tenant.epoch;
        found.retain(|session| session.epoch == epoch && session.is_used(&tenant.policy, now));
        Ok(found)
    }
}
