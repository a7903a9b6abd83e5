//! Deletes expired rows in small batches, so that a sweep does not block writers for long.

use std::time::Duration;

use crate::domain::reset;
use crate::domain::time::Time;
use crate::storage::core::error::Result;
use crate::storage::core::tx::Tx;
use crate::storage::{ended_sessions, logout_notices};

/// Lifetime of an unconfirmed enrolment.
const PENDING: Duration = Duration::from_hours(24);
/// Failures in a row are kept this long after the last one.
const FAILURES: Duration = Duration::from_hours(30 * 24);

/// A used refresh token is kept this long; presenting it later is refused, but no longer detected as reuse.
const USED: Duration = Duration::from_hours(7 * 24);

/// The outcome of a message can be looked up this long.
const MESSAGES: Duration = Duration::from_hours(7 * 24);

/// Rows deleted at their `expires_at`; authorization codes are deleted with their grants.
const EXPIRED: &[&str] = &[
    "DELETE FROM trusted_browsers WHERE id IN (SELECT id FROM trusted_browsers WHERE expires_at <= $1 LIMIT $2)",
    "DELETE FROM known_browsers WHERE (user_id, hash) IN
             (SELECT user_id, hash FROM known_browsers WHERE expires_at <= $1 LIMIT $2)",
    "DELETE FROM interactions WHERE id IN (SELECT id FROM interactions WHERE expires_at <= $1 LIMIT $2)",
    "DELETE FROM grants WHERE id IN (SELECT id FROM grants WHERE expires_at <= $1 LIMIT $2)",
    "DELETE FROM access_tokens WHERE hash IN (SELECT hash FROM access_tokens WHERE expires_at <= $1 LIMIT $2)",
    "DELETE FROM revoked_tokens WHERE jti IN (SELECT jti FROM revoked_tokens WHERE expires_at <= $1 LIMIT $2)",
    "DELETE FROM resets WHERE link IN (SELECT link FROM resets WHERE expires_at <= $1 LIMIT $2)",
    "DELETE FROM pushed_requests WHERE hash IN (SELECT hash FROM pushed_requests WHERE expires_at <= $1 LIMIT $2)",
    "DELETE FROM delivered_codes WHERE (ceremony_id, purpose) IN
             (SELECT ceremony_id, purpose FROM delivered_codes WHERE expires_at <= $1 LIMIT $2)",
    "DELETE FROM link_invitations WHERE user_id IN
             (SELECT user_id FROM link_invitations WHERE expires_at <= $1 LIMIT $2)",
    "DELETE FROM assertions WHERE (client_issuer_id, client_id, jti) IN
             (SELECT client_issuer_id, client_id, jti FROM assertions WHERE expires_at <= $1 LIMIT $2)",
    "DELETE FROM rp_sessions WHERE cookie IN (SELECT cookie FROM rp_sessions WHERE expires_at <= $1 LIMIT $2)",
    "DELETE FROM rp_logout_tokens WHERE (issuer, client_id, jti) IN
             (SELECT issuer, client_id, jti FROM rp_logout_tokens WHERE expires_at <= $1 LIMIT $2)",
];

/// Deletes at most `limit` rows of each kind and returns the number deleted. Call again until it returns 0.
pub async fn sweep(tx: &mut Tx<'_>, now: Time, limit: i64) -> Result<u64> {
    let mut removed = ended_sessions::end_expired(tx, now, limit).await?.len() as u64;
    removed += logout_notices::forget(tx, now.minus(MESSAGES), limit).await?;
    for &sql in EXPIRED {
        removed += execute!(tx, sql, now, limit)?;
    }
    removed += execute!(
        tx,
        "DELETE FROM refresh_tokens WHERE hash IN
             (SELECT hash FROM refresh_tokens WHERE expires_at <= $1 OR used_at <= $3 LIMIT $2)",
        now,
        limit,
        now.minus(USED),
    )?;
    removed += execute!(
        tx,
        "DELETE FROM authenticators WHERE id IN
             (SELECT id FROM authenticators WHERE state = 'pending' AND created_at <= $1 LIMIT $2)",
        now.minus(PENDING),
        limit,
    )?;
    removed += execute!(
        tx,
        "DELETE FROM attempts WHERE (key, kind) IN
             (SELECT key, kind FROM attempts WHERE last_at <= $1 AND locked_until <= $3 LIMIT $2)",
        now.minus(FAILURES),
        limit,
        now,
    )?;
    // Unsent messages that have expired: they are useless now, so their content is erased.
    removed += execute!(
        tx,
        "UPDATE outbox SET state = 'failed', sealed = NULL, reason = 'expired before it could be sent'
         WHERE id IN (SELECT id FROM outbox
                      WHERE state IN ('waiting', 'sending') AND expires_at <= $1 AND due_at <= $1 LIMIT $2)",
        now,
        limit,
    )?;
    removed += execute!(
        tx,
        "DELETE FROM outbox WHERE id IN
             (SELECT id FROM outbox WHERE created_at <= $1 AND state IN ('sent', 'failed') LIMIT $2)",
        now.minus(MESSAGES),
        limit,
    )?;
    // Reset requests that are too old for a useful mail.
    removed += execute!(
        tx,
        "DELETE FROM reset_requests WHERE id IN
             (SELECT id FROM reset_requests WHERE created_at <= $1 LIMIT $2)",
        now.minus(reset::LINK),
        limit,
    )?;
    removed += execute!(
        tx,
        "DELETE FROM rates WHERE key IN (SELECT key FROM rates WHERE free_at <= $1 LIMIT $2)",
        now.unix().saturating_mul(1000),
        limit,
    )?;
    Ok(removed)
}
