//! The pages of a reset by their names, and what showing or posting one comes to.

use super::session::ResetSession;
use crate::crypto::secret::Secret;
use crate::domain::time::Time;
use crate::views::{Body, Problem};

pub(super) const PASSWORD: &str = "password";
pub(super) const SECOND_FACTOR: &str = "second_factor";
pub(super) const PASSKEY: &str = "passkey";
pub(super) const RECOVERY: &str = "recovery";
pub(super) const ENROL: &str = "enrol";
pub(super) const RECOVERY_CODES: &str = "recovery_codes";
pub(super) const DONE: &str = "done";

/// What showing a page or taking its post comes to.
pub(super) enum Reply {
    /// The page.
    Page(Box<Body>),
    /// The same page again, which says what was wrong.
    Again(Box<ResetSession>, Vec<Problem>),
    /// The page that is due.
    Onward(Box<ResetSession>),
    /// The page that is due, in the browser that used the link up and holds the ticket from now on.
    Ticket(Box<ResetSession>, Secret),
    /// Nothing is checked before this time.
    Locked(Box<ResetSession>, Time),
    /// The link or ticket counts no longer.
    Void,
}

impl Reply {
    pub(super) fn again(session: ResetSession, problem: Problem) -> Self {
        Self::Again(Box::new(session), vec![problem])
    }

    pub(super) fn onward(session: ResetSession) -> Self {
        Self::Onward(Box::new(session))
    }
}
