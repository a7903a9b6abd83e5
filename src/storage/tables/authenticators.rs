//! Authenticators of every kind with their sealed secrets. Revoking one deletes its row.

use crate::domain::authenticator::{Authenticator, AuthenticatorKind, AuthenticatorState, Pin};
use crate::domain::ids::{AuthenticatorId, TenantId, UserId};
use crate::domain::time::Time;
use crate::storage::core::error::Result;
use crate::storage::core::json::{Json, Word};
use crate::storage::core::tx::Tx;

/// An authenticator and its secret as stored.
#[derive(Clone, Debug)]
pub struct StoredAuthenticator {
    /// The authenticator.
    pub authenticator: Authenticator,
    /// The secret, sealed for its row; `None` where codes are delivered.
    pub sealed_secret: Option<String>,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: AuthenticatorId,
    user_id: UserId,
    kind: Json<AuthenticatorKind>,
    sealed_secret: Option<String>,
    drift: i64,
    serial: Option<String>,
    pin: Option<Json<Pin>>,
    name: Option<String>,
    state: Word<AuthenticatorState>,
    last_accepted: i64,
    created_at: Time,
    last_used_at: Option<Time>,
}

impl From<Row> for StoredAuthenticator {
    fn from(row: Row) -> Self {
        let authenticator = Authenticator {
            id: row.id,
            user: row.user_id,
            kind: row.kind.0.drifted(row.drift),
            serial: row.serial,
            pin: row.pin.map(|pin| pin.0),
            name: row.name,
            state: row.state.0,
            last_accepted: row.last_accepted,
            created_at: row.created_at,
            last_used_at: row.last_used_at,
        };
        Self { authenticator, sealed_secret: row.sealed_secret }
    }
}

/// Adds an authenticator.
pub async fn insert(tx: &mut Tx<'_>, new: &Authenticator, sealed_secret: Option<&str>) -> Result<()> {
    execute!(
        tx,
        "INSERT INTO authenticators
             (id, user_id, kind, sealed_secret, drift, serial, pin, name, state, last_accepted, created_at,
              last_used_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        &new.id,
        &new.user,
        Json(&new.kind),
        sealed_secret,
        new.kind.drift(),
        &new.serial,
        new.pin.as_ref().map(Json),
        &new.name,
        Word(new.state),
        new.last_accepted,
        new.created_at,
        new.last_used_at,
    )?;
    Ok(())
}

/// The user's active authenticator.
pub async fn active(tx: &mut Tx<'_>, user: &UserId) -> Result<Option<StoredAuthenticator>> {
    let row: Option<Row> = on!(tx, conn => sqlx::query_as(
        "SELECT id, user_id, kind, sealed_secret, drift, serial, pin, name, state, last_accepted, created_at,
             last_used_at
         FROM authenticators WHERE user_id = $1 AND state = 'active' ORDER BY created_at DESC, id LIMIT 1")
        .bind(user).fetch_optional(conn))?;
    Ok(row.map(StoredAuthenticator::from))
}

/// The authenticator with this id, pending or active.
pub async fn by_id(tx: &mut Tx<'_>, id: &AuthenticatorId) -> Result<Option<StoredAuthenticator>> {
    let row: Option<Row> = on!(tx, conn => sqlx::query_as(
        "SELECT id, user_id, kind, sealed_secret, drift, serial, pin, name, state, last_accepted, created_at,
             last_used_at
         FROM authenticators WHERE id = $1")
        .bind(id).fetch_optional(conn))?;
    Ok(row.map(StoredAuthenticator::from))
}

/// The owner of the device of this tenant with this serial number.
pub async fn owner_of_serial(tx: &mut Tx<'_>, tenant: &TenantId, serial: &str) -> Result<Option<UserId>> {
    on!(tx, conn => sqlx::query_scalar(
        "SELECT user_id FROM authenticators JOIN users ON users.id = user_id
         WHERE tenant_id = $1 AND serial = $2 LIMIT 1")
        .bind(tenant).bind(serial).fetch_optional(conn))
}

/// Consumes a time step or counter (RFC 6238 §5.2, RFC 4226 §7.2): of concurrent callers with a code of this or an
/// earlier step, at most one gets `true`.
pub async fn accept(
    tx: &mut Tx<'_>,
    id: &AuthenticatorId,
    moving_factor: i64,
    drift: i64,
    now: Time,
) -> Result<bool> {
    let accepted = execute!(
        tx,
        "UPDATE authenticators SET last_accepted = $2, drift = $3, last_used_at = $4
         WHERE id = $1 AND last_accepted < $2 AND state = 'active'",
        id,
        moving_factor,
        drift,
        now,
    )?;
    Ok(accepted == 1)
}

/// Records the use of an authenticator by a delivered code; `false`: it is no longer active. The code itself is
/// consumed in `delivered_codes`.
pub async fn used(tx: &mut Tx<'_>, id: &AuthenticatorId, now: Time) -> Result<bool> {
    let sql = "UPDATE authenticators SET last_used_at = $2 WHERE id = $1 AND state = 'active'";
    Ok(execute!(tx, sql, id, now)? == 1)
}

/// Activates a pending authenticator and consumes the moving factor of the code that confirmed it; one caller wins.
///
/// If the user may have others, the same transaction calls [`users::hold`] before it and [`revoke_others`] after it, so
/// that of two concurrent enrolments one remains.
///
/// [`users::hold`]: super::users::hold
pub async fn confirm(tx: &mut Tx<'_>, id: &AuthenticatorId, moving_factor: i64, now: Time) -> Result<bool> {
    let confirmed = execute!(
        tx,
        "UPDATE authenticators SET state = 'active', last_accepted = $2, last_used_at = $3
         WHERE id = $1 AND state = 'pending'",
        id,
        moving_factor,
        now,
    )?;
    Ok(confirmed == 1)
}

/// Removes every authenticator of the user but one.
pub async fn revoke_others(tx: &mut Tx<'_>, user: &UserId, keep: &AuthenticatorId) -> Result<u64> {
    execute!(tx, "DELETE FROM authenticators WHERE user_id = $1 AND id <> $2", user, keep)
}

/// Removes the user's unconfirmed enrolments.
pub async fn remove_pending(tx: &mut Tx<'_>, user: &UserId) -> Result<u64> {
    execute!(tx, "DELETE FROM authenticators WHERE user_id = $1 AND state = 'pending'", user)
}

/// Removes every authenticator of the user.
pub async fn remove_all(tx: &mut Tx<'_>, user: &UserId) -> Result<u64> {
    execute!(tx, "DELETE FROM authenticators WHERE user_id = $1", user)
}
