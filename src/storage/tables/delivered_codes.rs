//! Codes that were sent to users: at most one for each login and purpose.
//!
//! One conditional statement counts a try and, if the code is right, uses it up: five tries made at once find five tries,
//! and of two who bring the right code one gets it.

use crate::domain::ids::{AuthenticatorId, Hash, InteractionId, MessageId};
use crate::domain::message::Purpose;
use crate::domain::time::Time;
use crate::storage::core::error::Result;
use crate::storage::core::tx::Tx;

/// A code that is on its way.
#[derive(Clone, Debug)]
pub struct New {
    /// The login that it is good for.
    pub interaction: InteractionId,
    /// What it is good for there.
    pub purpose: Purpose,
    /// Whose destination it goes to.
    pub authenticator: AuthenticatorId,
    /// Of the code, keyed.
    pub hash: Hash,
    /// The message that it travels in.
    pub message: MessageId,
    /// From when on it is void.
    pub expires_at: Time,
}

/// Puts a code in the place of the one before, which is void; gives the message that that one travelled in.
pub async fn replace(tx: &mut Tx<'_>, new: &New) -> Result<Option<MessageId>> {
    let old: Option<MessageId> = on!(tx, conn => sqlx::query_scalar(
        "SELECT message_id FROM delivered_codes WHERE interaction_id = $1 AND purpose = $2")
        .bind(&new.interaction).bind(new.purpose.as_str()).fetch_optional(conn))?;
    execute!(
        tx,
        "INSERT INTO delivered_codes
             (interaction_id, purpose, authenticator_id, hash, message_id, tries, expires_at)
         VALUES ($1, $2, $3, $4, $5, 0, $6)
         ON CONFLICT (interaction_id, purpose) DO UPDATE SET
             authenticator_id = excluded.authenticator_id, hash = excluded.hash, message_id = excluded.message_id,
             tries = 0, used_at = NULL, expires_at = excluded.expires_at",
        &new.interaction,
        new.purpose.as_str(),
        &new.authenticator,
        &new.hash,
        &new.message,
        new.expires_at,
    )?;
    Ok(old)
}

/// What came of a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tried {
    /// It was the code, which is used up.
    Right,
    /// It was not.
    Wrong,
    /// There is no code: none was sent, or it is used, expired, replaced or was tried too often.
    Void,
}

/// Tries a code; at most `most` times.
pub async fn attempt(
    tx: &mut Tx<'_>,
    interaction: &InteractionId,
    purpose: Purpose,
    authenticator: &AuthenticatorId,
    hash: &Hash,
    most: i64,
    now: Time,
) -> Result<Tried> {
    let used_at: Option<Option<Time>> = on!(tx, conn => sqlx::query_scalar(
        "UPDATE delivered_codes SET tries = tries + 1, used_at = CASE WHEN hash = $4 THEN $6 ELSE NULL END
         WHERE interaction_id = $1 AND purpose = $2 AND authenticator_id = $3
           AND used_at IS NULL AND tries < $5 AND expires_at > $6
         RETURNING used_at")
        .bind(interaction).bind(purpose.as_str()).bind(authenticator).bind(hash).bind(most).bind(now)
        .fetch_optional(conn))?;
    Ok(match used_at {
        Some(Some(_)) => Tried::Right,
        Some(None) => Tried::Wrong,
        None => Tried::Void,
    })
}
