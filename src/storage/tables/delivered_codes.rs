//! Codes that were sent to users: at most one for each ceremony and purpose.
//!
//! One conditional statement counts a try and, if the code is right, consumes it, so that concurrent tries are all
//! counted and a right code is accepted once.

use crate::domain::ids::{AuthenticatorId, CeremonyId, Hash, MessageId};
use crate::domain::message::CodePurpose;
use crate::domain::time::Time;
use crate::storage::core::error::Result;
use crate::storage::core::tx::Tx;

/// A code to be sent.
#[derive(Clone, Debug)]
pub struct NewDeliveredCode {
    /// The ceremony in which it is valid.
    pub ceremony: CeremonyId,
    /// The purpose within that ceremony.
    pub purpose: CodePurpose,
    /// The authenticator whose destination it is sent to.
    pub authenticator: AuthenticatorId,
    /// The keyed hash of the code.
    pub hash: Hash,
    /// The message that contains it.
    pub message: MessageId,
    /// The time at which it becomes invalid.
    pub expires_at: Time,
}

/// Stores a code in place of the previous one and returns the message that contained the previous one.
pub async fn replace(tx: &mut Tx<'_>, new: &NewDeliveredCode) -> Result<Option<MessageId>> {
    let old: Option<MessageId> = on!(tx, conn => sqlx::query_scalar(
        "SELECT message_id FROM delivered_codes WHERE ceremony_id = $1 AND purpose = $2")
        .bind(&new.ceremony).bind(new.purpose.as_str()).fetch_optional(conn))?;
    execute!(
        tx,
        "INSERT INTO delivered_codes
             (ceremony_id, purpose, authenticator_id, hash, message_id, tries, expires_at)
         VALUES ($1, $2, $3, $4, $5, 0, $6)
         ON CONFLICT (ceremony_id, purpose) DO UPDATE SET
             authenticator_id = excluded.authenticator_id, hash = excluded.hash, message_id = excluded.message_id,
             tries = 0, used_at = NULL, expires_at = excluded.expires_at",
        &new.ceremony,
        new.purpose.as_str(),
        &new.authenticator,
        &new.hash,
        &new.message,
        new.expires_at,
    )?;
    Ok(old)
}

/// The result of a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tried {
    /// The code was right; it is consumed.
    Right,
    /// The code was wrong.
    Wrong,
    /// There is no valid code: none was sent, or it was used, replaced, tried too often or has expired.
    Void,
}

/// Tries a code; the limit is `most` tries.
pub async fn attempt(
    tx: &mut Tx<'_>,
    ceremony: &CeremonyId,
    purpose: CodePurpose,
    authenticator: &AuthenticatorId,
    hash: &Hash,
    most: i64,
    now: Time,
) -> Result<Tried> {
    let used_at: Option<Option<Time>> = on!(tx, conn => sqlx::query_scalar(
        "UPDATE delivered_codes SET tries = tries + 1, used_at = CASE WHEN hash = $4 THEN $6 ELSE NULL END
         WHERE ceremony_id = $1 AND purpose = $2 AND authenticator_id = $3
           AND used_at IS NULL AND tries < $5 AND expires_at > $6
         RETURNING used_at")
        .bind(ceremony).bind(purpose.as_str()).bind(authenticator).bind(hash).bind(most).bind(now)
        .fetch_optional(conn))?;
    Ok(match used_at {
        Some(Some(_)) => Tried::Right,
        Some(None) => Tried::Wrong,
        None => Tried::Void,
    })
}
