//! Users and their passwords.

use super::Tx;
use super::error::Result;
use super::json::Json;
use crate::domain::claims::Profile;
use crate::domain::ids::{TenantId, UserId};
use crate::domain::time::Time;
use crate::domain::user::{Role, User, Username};

#[derive(sqlx::FromRow)]
pub(super) struct Row {
    user_id: UserId,
    tenant_id: TenantId,
    username: Username,
    user_disabled: bool,
    roles: Json<Vec<Role>>,
    profile: Json<Profile>,
    updated_at: Time,
}

impl From<Row> for User {
    fn from(row: Row) -> Self {
        Self {
            id: row.user_id,
            tenant: row.tenant_id,
            username: row.username,
            disabled: row.user_disabled,
            roles: row.roles.0,
            profile: row.profile.0,
            updated_at: row.updated_at,
        }
    }
}

/// A user and what a typed password is compared with.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// The user, who may be disabled.
    pub user: User,
    /// A PHC string; `None` = the user has no password.
    pub password_hash: Option<String>,
}

#[derive(sqlx::FromRow)]
struct CredentialsRow {
    #[sqlx(flatten)]
    user: Row,
    password_hash: Option<String>,
}

/// Adds the user, or changes the one with this id; the password stays. `Error::Conflict` if the name is taken.
///
/// Only a user of the same tenant is changed: an id never moves to another one.
pub async fn upsert(tx: &mut Tx<'_>, user: &User) -> Result<()> {
    let written = execute!(
        tx,
        "INSERT INTO users (id, tenant_id, username, username_key, disabled, roles, profile, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (id) DO UPDATE SET username = excluded.username, username_key = excluded.username_key,
             disabled = excluded.disabled, roles = excluded.roles, profile = excluded.profile,
             updated_at = excluded.updated_at
         WHERE users.tenant_id = excluded.tenant_id",
        &user.id,
        &user.tenant,
        &user.username,
        user.username.key(),
        user.disabled,
        Json(&user.roles),
        Json(&user.profile),
        user.updated_at,
    )?;
    if written == 1 { Ok(()) } else { Err(super::Error::Conflict) }
}

/// The user with this id.
pub async fn by_id(tx: &mut Tx<'_>, id: &UserId) -> Result<Option<User>> {
    let row: Option<Row> = on!(tx, conn => sqlx::query_as(
        "SELECT id AS user_id, tenant_id, username, disabled AS user_disabled, roles, profile, updated_at
         FROM users WHERE id = $1").bind(id).fetch_optional(conn))?;
    Ok(row.map(User::from))
}

/// The user of this tenant whose name has this key ([`Username::key`]), with the stored password.
pub async fn credentials(tx: &mut Tx<'_>, tenant: &TenantId, key: &str) -> Result<Option<Credentials>> {
    let row: Option<CredentialsRow> = on!(tx, conn => sqlx::query_as(
        "SELECT id AS user_id, tenant_id, username, disabled AS user_disabled, roles, profile, updated_at,
             password_hash
         FROM users WHERE tenant_id = $1 AND username_key = $2").bind(tenant).bind(key).fetch_optional(conn))?;
    Ok(row.map(|row| Credentials { user: row.user.into(), password_hash: row.password_hash }))
}

/// Stores a password's PHC string, or none.
pub async fn set_password(tx: &mut Tx<'_>, id: &UserId, hash: Option<&str>) -> Result<bool> {
    Ok(execute!(tx, "UPDATE users SET password_hash = $2 WHERE id = $1", id, hash)? == 1)
}

/// Replaces a password's PHC string by a stronger one of the same password, unless it was changed meanwhile.
pub async fn rehash_password(tx: &mut Tx<'_>, id: &UserId, old: &str, new: &str) -> Result<bool> {
    let sql = "UPDATE users SET password_hash = $3 WHERE id = $1 AND password_hash = $2";
    Ok(execute!(tx, sql, id, old, new)? == 1)
}

/// The users of a tenant by name, with their stored passwords.
pub async fn all(tx: &mut Tx<'_>, tenant: &TenantId) -> Result<Vec<Credentials>> {
    let rows: Vec<CredentialsRow> = on!(tx, conn => sqlx::query_as(
        "SELECT id AS user_id, tenant_id, username, disabled AS user_disabled, roles, profile, updated_at,
             password_hash
         FROM users WHERE tenant_id = $1 ORDER BY username_key").bind(tenant).fetch_all(conn))?;
    Ok(rows
        .into_iter()
        .map(|row| Credentials { user: row.user.into(), password_hash: row.password_hash })
        .collect())
}

/// Removes a user with authenticators, sessions and grants.
pub async fn remove(tx: &mut Tx<'_>, id: &UserId) -> Result<bool> {
    Ok(execute!(tx, "DELETE FROM users WHERE id = $1", id)? == 1)
}
