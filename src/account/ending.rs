//! Ends everything that a user was given: the one function behind all events of `docs/ending.md` that concern one user.
//! Credentials (passwords, authenticators, recovery codes) are removed by the event itself.
//!
//! Disabling and deleting are not here: the store raises the row's epoch and ends the sessions with it (see
//! `domain::epoch` and `storage::ended_sessions`).

use crate::domain::ids::{Hash, SessionId, UserId};
use crate::storage::ended_sessions::{self, EndedSession};
use crate::storage::{Result, Tx, grants, resets, sessions, users};

/// What survives an ending: the session or reset in which the user brought it about.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Spared<'a> {
    /// A session, with the grants given in it.
    pub(crate) session: Option<&'a SessionId>,
    /// A reset, by its link.
    pub(crate) reset: Option<&'a Hash>,
}

/// Ends sessions, grants with their codes and tokens, reset links and tickets, invitations, logins in progress with
/// their enrolments, and the trust in browsers, by raising the user's epoch. Session rows are deleted, so that their
/// clients are told.
pub(crate) async fn end(tx: &mut Tx<'_>, user: &UserId, spared: Spared<'_>) -> Result<()> {
    end_sessions(tx, user, spared).await.map(drop)
}

/// Does the same and returns the sessions that ended, with the clients that were signed in with them.
pub(super) async fn end_sessions(
    tx: &mut Tx<'_>,
    user: &UserId,
    spared: Spared<'_>,
) -> Result<Vec<EndedSession>> {
    users::raise_epoch(tx, user).await?;
    if let Some(session) = spared.session {
        sessions::carry_over(tx, session).await?;
        grants::carry_over(tx, session).await?;
    }
    if let Some(link) = spared.reset {
        resets::carry_over(tx, link).await?;
    }
    ended_sessions::end_others(tx, user, spared.session).await
}
