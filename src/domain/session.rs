//! A browser session: who is signed in at one issuer, and what was proved.

use super::fact::Facts;
use super::ids::{Hash, IssuerId, SessionId, UserId};
use super::time::Time;

/// One session. The cookie holds a secret whose hash finds the row; `id` is public, it is the claim `sid`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The value of `sid`.
    pub id: SessionId,
    /// The hash of the cookie; renewed at every change of what is proved.
    pub cookie: Hash,
    /// The issuer it is bound to.
    pub issuer: IssuerId,
    /// Who is signed in.
    pub user: UserId,
    /// The factors proved.
    pub facts: Facts,
    /// When it began.
    pub created_at: Time,
    /// When it was last used, to the minute.
    pub used_at: Time,
    /// When it ends in any case.
    pub expires_at: Time,
}
