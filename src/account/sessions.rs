//! A user's sessions: which there are, and how they end.
//!
//! Three ways to end, and why they differ. *Signing out* of one browser ends what lasts as long as the session; a grant
//! with `offline_access` was given so that it outlives exactly that (OpenID Connect Core §11, Back-Channel Logout §2.7).
//! *Ending a session from elsewhere* says that it should not be there, and *signing out everywhere*, like a change of
//! password, that nothing may be trusted any more: then everything that was given out goes, offline or not.
//!
//! Each of them ends sessions first and grants after: a login that is being completed in a session holds its row, so
//! the grant that it gives is there to be found.

use super::ending::{self, Spared};
use super::{Account, Error};
use crate::domain::ids::{SessionId, UserId};
use crate::domain::session::Session;
use crate::domain::time::Time;
use crate::domain::user::User;
use crate::storage::{Result, Tx, grants, sessions};

/// The browser's user signs out: `false` if the session had ended before.
pub(crate) async fn sign_out(tx: &mut Tx<'_>, session: &SessionId, now: Time) -> Result<bool> {
    let ended = sessions::end(tx, session).await?;
    grants::revoke_online(tx, session, now).await?;
    Ok(ended)
}

/// Ends one of the user's sessions and everything that it gave; `false` if the user has no such session.
pub(crate) async fn end(tx: &mut Tx<'_>, user: &UserId, session: &SessionId, now: Time) -> Result<bool> {
    let ended = sessions::end_own(tx, user, session).await?;
    if ended {
        grants::revoke_session(tx, session, now).await?;
    }
    Ok(ended)
}

/// Ends everything of the user but one session and what it gave; tells how many sessions there were.
pub(crate) async fn end_all(tx: &mut Tx<'_>, user: &UserId, keep: Option<&SessionId>) -> Result<u64> {
    let ended = sessions::end_others(tx, user, keep).await?;
    ending::end(tx, user, Spared { session: keep, reset: None }).await?;
    Ok(ended)
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
