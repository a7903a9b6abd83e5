//! The end of everything that a user has been given, for whichever reason: one function. `docs/ending.md` says which
//! events call it, and what each of them takes away beside.

use crate::domain::ids::{Hash, SessionId, UserId};
use crate::storage::{Result, Tx, grants, resets, sessions, users};

/// What goes on in spite of an ending: that in which it was brought about.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Spared<'a> {
    /// This session, with the grants that were given in it.
    pub(crate) session: Option<&'a SessionId>,
    /// This reset, by its link.
    pub(crate) reset: Option<&'a Hash>,
}

/// Ends sessions, grants with their codes and tokens, reset links and tickets, invitations, logins in progress with
/// their enrolments, and the trust in browsers.
pub(crate) async fn end(tx: &mut Tx<'_>, user: &UserId, spared: Spared<'_>) -> Result<()> {
    users::raise_epoch(tx, user).await?;
    if let Some(session) = spared.session {
        sessions::carry_over(tx, session).await?;
        grants::carry_over(tx, session).await?;
    }
    if let Some(link) = spared.reset {
        resets::carry_over(tx, link).await?;
    }
    Ok(())
}
