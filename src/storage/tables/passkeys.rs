//! Passkeys. A row holds nothing secret; each use is claimed by a conditional statement.

use crate::domain::ids::{AuthenticatorId, CredentialId, UserHandle, UserId};
use crate::domain::passkey::{Passkey, RpId};
use crate::domain::time::Time;
use crate::storage::core::error::Result;
use crate::storage::core::tx::Tx;

#[derive(sqlx::FromRow)]
struct Row {
    id: AuthenticatorId,
    user_id: UserId,
    user_handle: UserHandle,
    credential_id: CredentialId,
    rp_id: RpId,
    credential: String,
    counter: i64,
    created_at: Time,
    last_used_at: Option<Time>,
}

impl From<Row> for Passkey {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            user: row.user_id,
            user_handle: row.user_handle,
            credential_id: row.credential_id,
            rp: row.rp_id,
            credential: row.credential,
            counter: row.counter,
            created_at: row.created_at,
            last_used_at: row.last_used_at,
        }
    }
}

/// Adds a passkey. `false`: its credential id is registered already (Web Authentication §7.1, step 26).
pub async fn insert(tx: &mut Tx<'_>, new: &Passkey) -> Result<bool> {
    let added = execute!(
        tx,
        "INSERT INTO passkeys
             (id, user_id, user_handle, credential_id, rp_id, credential, counter, created_at, last_used_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING",
        &new.id,
        &new.user,
        &new.user_handle,
        &new.credential_id,
        &new.rp,
        &new.credential,
        new.counter,
        new.created_at,
        new.last_used_at,
    )?;
    Ok(added == 1)
}

/// The passkeys of a user, the oldest first.
pub async fn of_user(tx: &mut Tx<'_>, user: &UserId) -> Result<Vec<Passkey>> {
    let rows: Vec<Row> = on!(tx, conn => sqlx::query_as(
        "SELECT id, user_id, user_handle, credential_id, rp_id, credential, counter, created_at, last_used_at
         FROM passkeys WHERE user_id = $1 ORDER BY created_at, id").bind(user).fetch_all(conn))?;
    Ok(rows.into_iter().map(Passkey::from).collect())
}

/// The passkey with this credential id.
pub async fn by_credential(tx: &mut Tx<'_>, id: &CredentialId) -> Result<Option<Passkey>> {
    let row: Option<Row> = on!(tx, conn => sqlx::query_as(
        "SELECT id, user_id, user_handle, credential_id, rp_id, credential, counter, created_at, last_used_at
         FROM passkeys WHERE credential_id = $1").bind(id).fetch_optional(conn))?;
    Ok(row.map(Passkey::from))
}

/// Records a use and raises the signature counter (Web Authentication §6.1.1). `false`: the passkey no longer exists,
/// or its counter did not increase, because the assertion is replayed or the key was cloned. An authenticator without a
/// counter always sends 0.
pub async fn accept(tx: &mut Tx<'_>, id: &AuthenticatorId, counter: i64, now: Time) -> Result<bool> {
    let accepted = execute!(
        tx,
        "UPDATE passkeys SET counter = $2, last_used_at = $3
         WHERE id = $1 AND (counter < $2 OR (counter = 0 AND $2 = 0))",
        id,
        counter,
        now,
    )?;
    Ok(accepted == 1)
}

/// Removes the user's passkeys for one relying party ID.
pub async fn remove_at(tx: &mut Tx<'_>, user: &UserId, rp: &RpId) -> Result<u64> {
    execute!(tx, "DELETE FROM passkeys WHERE user_id = $1 AND rp_id = $2", user, rp)
}

/// Removes the user's other passkeys for the same relying party ID.
pub async fn remove_others_at(tx: &mut Tx<'_>, keep: &Passkey) -> Result<u64> {
    let sql = "DELETE FROM passkeys WHERE user_id = $1 AND rp_id = $2 AND id <> $3";
    execute!(tx, sql, &keep.user, &keep.rp, &keep.id)
}

/// Removes one passkey.
pub async fn remove(tx: &mut Tx<'_>, id: &AuthenticatorId) -> Result<bool> {
    Ok(execute!(tx, "DELETE FROM passkeys WHERE id = $1", id)? == 1)
}

/// Removes all passkeys of the user.
pub async fn remove_all(tx: &mut Tx<'_>, user: &UserId) -> Result<u64> {
    execute!(tx, "DELETE FROM passkeys WHERE user_id = $1", user)
}
