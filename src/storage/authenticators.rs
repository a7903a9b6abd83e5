//! Authenticators and their sealed secrets. A revoked one has no row any more.

use super::Tx;
use super::error::Result;
use super::json::{Json, Word};
use crate::domain::authenticator::{Authenticator, AuthenticatorState, TotpParameters};
use crate::domain::ids::{AuthenticatorId, UserId};
use crate::domain::time::Time;

/// An authenticator with its secret as stored.
#[derive(Clone, Debug)]
pub struct Stored {
    /// The authenticator.
    pub authenticator: Authenticator,
    /// Its secret, sealed for its row.
    pub sealed_secret: String,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: AuthenticatorId,
    user_id: UserId,
    sealed_secret: String,
    totp: Json<TotpParameters>,
    state: Word<AuthenticatorState>,
    drift_steps: i64,
    last_accepted_step: i64,
    created_at: Time,
}

impl From<Row> for Stored {
    fn from(row: Row) -> Self {
        let authenticator = Authenticator {
            id: row.id,
            user: row.user_id,
            totp: row.totp.0,
            state: row.state.0,
            drift_steps: row.drift_steps,
            last_accepted_step: row.last_accepted_step,
            created_at: row.created_at,
        };
        Self { authenticator, sealed_secret: row.sealed_secret }
    }
}

/// Adds an authenticator.
pub async fn insert(tx: &mut Tx<'_>, new: &Authenticator, sealed_secret: &str) -> Result<()> {
    execute!(
        tx,
        "INSERT INTO authenticators
             (id, user_id, sealed_secret, totp, state, drift_steps, last_accepted_step, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        &new.id,
        &new.user,
        sealed_secret,
        Json(new.totp),
        Word(new.state),
        new.drift_steps,
        new.last_accepted_step,
        new.created_at,
    )?;
    Ok(())
}

/// The authenticator that proves this user's second factor now.
pub async fn active(tx: &mut Tx<'_>, user: &UserId) -> Result<Option<Stored>> {
    let row: Option<Row> = on!(tx, conn => sqlx::query_as(
        "SELECT id, user_id, sealed_secret, totp, state, drift_steps, last_accepted_step, created_at
         FROM authenticators WHERE user_id = $1 AND state = 'active' ORDER BY created_at DESC, id LIMIT 1")
        .bind(user).fetch_optional(conn))?;
    Ok(row.map(Stored::from))
}

/// The authenticator with this id, pending or active.
pub async fn by_id(tx: &mut Tx<'_>, id: &AuthenticatorId) -> Result<Option<Stored>> {
    let row: Option<Row> = on!(tx, conn => sqlx::query_as(
        "SELECT id, user_id, sealed_secret, totp, state, drift_steps, last_accepted_step, created_at
         FROM authenticators WHERE id = $1")
        .bind(id).fetch_optional(conn))?;
    Ok(row.map(Stored::from))
}

/// Uses up a time step (RFC 6238 §5.2): of all who bring a code of this or an earlier step, at most one gets `true`.
pub async fn accept_step(tx: &mut Tx<'_>, id: &AuthenticatorId, step: i64, drift_steps: i64) -> Result<bool> {
    let accepted = execute!(
        tx,
        "UPDATE authenticators SET last_accepted_step = $2, drift_steps = $3
         WHERE id = $1 AND last_accepted_step < $2 AND state = 'active'",
        id,
        step,
        drift_steps,
    )?;
    Ok(accepted == 1)
}

/// Makes a pending authenticator active, and uses up the time step of the code that confirmed it; one caller wins.
///
/// Follow it by [`revoke_others`] in the same transaction: then of two enrolments at once one remains. Those of one
/// user go one after another: each would otherwise hold its own row and wait for the others', until PostgreSQL's
/// search for deadlocks has ended all but one of them.
pub async fn confirm(tx: &mut Tx<'_>, id: &AuthenticatorId, step: i64) -> Result<bool> {
    let hold = "UPDATE users SET updated_at = updated_at
                WHERE id = (SELECT user_id FROM authenticators WHERE id = $1)";
    execute!(tx, hold, id)?;
    let confirmed = execute!(
        tx,
        "UPDATE authenticators SET state = 'active', last_accepted_step = $2
         WHERE id = $1 AND state = 'pending' AND last_accepted_step < $2",
        id,
        step,
    )?;
    Ok(confirmed == 1)
}

/// Removes every authenticator of the user but one.
pub async fn revoke_others(tx: &mut Tx<'_>, user: &UserId, keep: &AuthenticatorId) -> Result<u64> {
    execute!(tx, "DELETE FROM authenticators WHERE user_id = $1 AND id <> $2", user, keep)
}

/// Removes the enrolments that the user has begun and not confirmed.
pub async fn remove_pending(tx: &mut Tx<'_>, user: &UserId) -> Result<u64> {
    execute!(tx, "DELETE FROM authenticators WHERE user_id = $1 AND state = 'pending'", user)
}

/// Removes every authenticator of the user.
pub async fn remove_all(tx: &mut Tx<'_>, user: &UserId) -> Result<u64> {
    execute!(tx, "DELETE FROM authenticators WHERE user_id = $1", user)
}
