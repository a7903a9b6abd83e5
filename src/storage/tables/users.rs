//! Users and their passwords.
//!
//! Every function that changes a field of [`User`] raises the row's `version`, by which [`GrantCache`](crate::storage::GrantCache) validates
//! its users.

use super::{ended_sessions, epochs, username_keys};
use crate::domain::claims::Profile;
use crate::domain::epoch::Epoch;
use crate::domain::ids::{DirectoryKey, Hash, TenantId, UpstreamId, UserId};
use crate::domain::time::Time;
use crate::domain::upstream::UpstreamAccount;
use crate::domain::user::{ComputerName, Role, User, Username};
use crate::storage::core::error::Result;
use crate::storage::core::json::Json;
use crate::storage::core::queue::ExpectedRows;
use crate::storage::core::tx::Tx;

#[derive(sqlx::FromRow)]
pub(in crate::storage) struct Row {
    user_id: UserId,
    tenant_id: TenantId,
    username: Username,
    user_disabled: bool,
    user_epoch: Epoch,
    roles: Json<Vec<Role>>,
    profile: Json<Profile>,
    updated_at: Time,
    directory_key: Option<DirectoryKey>,
    personal_desktop: Option<ComputerName>,
    upstream_id: Option<UpstreamId>,
    upstream_subject: Option<String>,
}

/// The columns of a [`Row`].
macro_rules! user {
    () => {
        "id AS user_id, tenant_id, username, disabled AS user_disabled, epoch AS user_epoch, roles, profile, updated_at,
         directory_key, personal_desktop, upstream_id, upstream_subject"
    };
}

impl From<Row> for User {
    fn from(row: Row) -> Self {
        Self {
            id: row.user_id,
            tenant: row.tenant_id,
            username: row.username,
            disabled: row.user_disabled,
            epoch: row.user_epoch,
            roles: row.roles.0,
            profile: row.profile.0,
            updated_at: row.updated_at,
            directory: row.directory_key,
            personal_desktop: row.personal_desktop,
            upstream: row
                .upstream_id
                .map(|upstream| UpstreamAccount { upstream, subject: row.upstream_subject }),
        }
    }
}

/// A user and everything needed to check a password.
#[derive(Clone, Debug)]
pub struct UserCredentials {
    /// The user, disabled or not.
    pub user: User,
    /// The password's hash; `None` = the user has no password.
    pub password_hash: Option<String>,
    /// The scheme of a hash that was imported and not yet replaced: it determines the time a check takes.
    pub password_scheme: Option<String>,
    /// The keyed hash of the text that the hash was imported from.
    pub password_source: Option<Hash>,
    /// Whether a new password must be chosen at the next login.
    pub must_change_password: bool,
    /// Whether the name of the office computer has not been asked for in this enrolment.
    pub desktop_unasked: bool,
    /// The user's other credentials.
    pub has: HeldCredentials,
    /// The key by which the user is found.
    pub username_key: String,
}

/// The kinds of credentials a user has in other tables.
#[derive(Clone, Copy, Debug, sqlx::FromRow)]
pub struct HeldCredentials {
    /// Whether there is a passkey.
    #[sqlx(rename = "has_passkeys")]
    pub passkeys: bool,
    /// Whether there is an active authenticator.
    #[sqlx(rename = "has_authenticator")]
    pub authenticator: bool,
}

#[derive(sqlx::FromRow)]
struct CredentialsRow {
    #[sqlx(flatten)]
    user: Row,
    password_hash: Option<String>,
    password_scheme: Option<String>,
    password_source: Option<Hash>,
    enrolment: i64,
    desktop_asked: i64,
    must_change_password: bool,
    username_key: String,
    #[sqlx(flatten)]
    has: HeldCredentials,
}

/// The columns of a [`CredentialsRow`].
macro_rules! credentials {
    () => {
        concat!(
            user!(),
            ", password_hash, password_scheme, password_source, enrolment, desktop_asked, must_change_password, username_key,
             EXISTS (SELECT 1 FROM passkeys WHERE user_id = users.id) AS has_passkeys,
             EXISTS (SELECT 1 FROM authenticators WHERE user_id = users.id AND state = 'active') AS has_authenticator"
        )
    };
}

impl From<CredentialsRow> for UserCredentials {
    fn from(row: CredentialsRow) -> Self {
        Self {
            user: row.user.into(),
            password_hash: row.password_hash,
            password_scheme: row.password_scheme,
            password_source: row.password_source,
            must_change_password: row.must_change_password,
            has: row.has,
            username_key: row.username_key,
            desktop_unasked: row.desktop_asked < row.enrolment,
        }
    }
}

/// Adds or replaces the user with this id; password and upstream account are kept. `Error::Conflict` if the name is
/// taken, or the id of a new user is a client's (RFC 9700 §4.15).
///
/// A name whose key is shared ([`username_keys::sharers`]) is taken; the users who share it keep the key that they are
/// found by.
///
/// Only a user of the same tenant is replaced: an id never moves to another tenant. Disabling raises the epoch.
pub async fn upsert(tx: &mut Tx<'_>, user: &User) -> Result<()> {
    // Waits for a concurrent removal of the same id, so that the epoch starts above the removed one's.
    hold(tx, &user.id).await?;
    let written = execute!(
        tx,
        "INSERT INTO users
             (id, tenant_id, username, username_key, disabled, roles, profile, updated_at, personal_desktop, email_key,
              epoch, shared_key)
         SELECT $1, $2, $3, COALESCE((SELECT username_key FROM users WHERE id = $1 AND shared_key = $4), $4), $5, $6, $7,
             $8, $9, $10, (SELECT floor FROM epochs), (SELECT shared_key FROM users WHERE id = $1 AND shared_key = $4)
         WHERE (NOT EXISTS (SELECT 1 FROM clients WHERE id = $1) OR EXISTS (SELECT 1 FROM users WHERE id = $1))
         AND (EXISTS (SELECT 1 FROM users WHERE id = $1 AND shared_key = $4)
             OR NOT EXISTS (SELECT 1 FROM users WHERE tenant_id = $2 AND shared_key = $4))
         ON CONFLICT (id) DO UPDATE SET username = excluded.username, username_key = excluded.username_key,
             shared_key = excluded.shared_key,
             epoch = users.epoch + CASE WHEN excluded.disabled AND NOT users.disabled THEN 1 ELSE 0 END,
             disabled = excluded.disabled, roles = excluded.roles, profile = excluded.profile,
             updated_at = excluded.updated_at, personal_desktop = excluded.personal_desktop,
             email_key = excluded.email_key, version = users.version + 1
         WHERE users.tenant_id = excluded.tenant_id",
        &user.id,
        &user.tenant,
        &user.username,
        user.username.key(),
        user.disabled,
        Json(&user.roles),
        Json(&user.profile),
        user.updated_at,
        &user.personal_desktop,
        user.address().map(|address| address.key()),
    )?;
    if written != 1 {
        return Err(crate::storage::Error::Conflict);
    }
    if user.disabled {
        ended_sessions::end_others(tx, &user.id, None).await?;
    }
    Ok(())
}

/// The user with this id.
pub async fn by_id(tx: &mut Tx<'_>, id: &UserId) -> Result<Option<User>> {
    let row: Option<Row> = on!(tx, conn => sqlx::query_as(
        concat!("SELECT ", user!(), " FROM users WHERE id = $1"))
        .bind(id).fetch_optional(conn))?;
    Ok(row.map(User::from))
}

/// The user of this tenant with this name, with the stored password. `None` as a name runs the same statement and finds
/// no user, so that both cost the same.
///
/// The key of versions before migration 40 is tried first: users whose folded names are the same have it, and so do
/// users who were added by a node of such a version that still runs.
pub async fn credentials(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    name: Option<&Username>,
) -> Result<Option<UserCredentials>> {
    let [key, former] = name.map(|name| [name.key(), name.former_key()]).unwrap_or_default();
    let row: Option<CredentialsRow> = on!(tx, conn => sqlx::query_as(
        concat!("SELECT ", credentials!(), " FROM users WHERE tenant_id = $1 AND username_key IN ($2, $3)
             ORDER BY CASE WHEN username_key = $3 THEN 0 ELSE 1 END LIMIT 1"))
        .bind(tenant).bind(key).bind(former).fetch_optional(conn))?;
    Ok(row.map(UserCredentials::from))
}

/// Users of this tenant with this address ([`EmailAddress::key`]), limited to as many as show whether the address is
/// unique.
///
/// [`EmailAddress::key`]: crate::domain::contact::EmailAddress::key
pub async fn by_address(tx: &mut Tx<'_>, tenant: &TenantId, key: &str) -> Result<Vec<UserCredentials>> {
    let rows: Vec<CredentialsRow> = on!(tx, conn => sqlx::query_as(
        concat!("SELECT ", credentials!(), " FROM users WHERE tenant_id = $1 AND email_key = $2 LIMIT 2"))
        .bind(tenant).bind(key).fetch_all(conn))?;
    Ok(rows.into_iter().map(UserCredentials::from).collect())
}

/// The user with this id, with the stored password.
pub async fn credentials_by_id(tx: &mut Tx<'_>, id: &UserId) -> Result<Option<UserCredentials>> {
    let row: Option<CredentialsRow> = on!(tx, conn => sqlx::query_as(
        concat!("SELECT ", credentials!(), " FROM users WHERE id = $1"))
        .bind(id).fetch_optional(conn))?;
    Ok(row.map(UserCredentials::from))
}

/// The row of a user of the host's directory.
pub async fn by_directory(tx: &mut Tx<'_>, tenant: &TenantId, key: &DirectoryKey) -> Result<Option<User>> {
    let row: Option<Row> = on!(tx, conn => sqlx::query_as(
        concat!("SELECT ", user!(), " FROM users WHERE tenant_id = $1 AND directory_key = $2"))
        .bind(tenant).bind(key).fetch_optional(conn))?;
    Ok(row.map(User::from))
}

/// Adds or updates the row of a user of the host's directory and returns it as stored: of two concurrent first
/// sign-ins, one's id is kept.
///
/// The directory decides who has the name. A row that had it before keeps its id and history, but is no longer found by
/// it.
pub async fn stand_for(tx: &mut Tx<'_>, user: &User) -> Result<User> {
    execute!(
        tx,
        "UPDATE users SET username_key = ' ' || id, shared_key = NULL
         WHERE tenant_id = $1 AND username_key = $2 AND (directory_key IS NULL OR directory_key <> $3)",
        &user.tenant,
        user.username.key(),
        &user.directory,
    )?;
    let (id, epoch) = on!(tx, conn => sqlx::query_as(
        "INSERT INTO users
             (id, tenant_id, username, username_key, disabled, roles, profile, updated_at, directory_key, email_key,
              epoch)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, (SELECT floor FROM epochs))
         ON CONFLICT (tenant_id, directory_key) DO UPDATE SET username = excluded.username,
             username_key = excluded.username_key, shared_key = NULL,
             epoch = users.epoch + CASE WHEN excluded.disabled AND NOT users.disabled THEN 1 ELSE 0 END,
             disabled = excluded.disabled, roles = excluded.roles,
             profile = excluded.profile, updated_at = excluded.updated_at, email_key = excluded.email_key,
             version = users.version + 1
         RETURNING id, epoch")
        .bind(&user.id).bind(&user.tenant).bind(&user.username).bind(user.username.key()).bind(user.disabled)
        .bind(Json(&user.roles)).bind(Json(&user.profile)).bind(user.updated_at).bind(&user.directory)
        .bind(user.address().map(|address| address.key()))
        .fetch_one(conn))?;
    let stored = User { id, epoch, ..user.clone() };
    if stored.disabled {
        ended_sessions::end_others(tx, &stored.id, None).await?;
    }
    Ok(stored)
}

/// Records that the name of the office computer was asked for in this enrolment, and the name if one was given.
pub async fn desktop_asked(
    tx: &mut Tx<'_>,
    id: &UserId,
    given: Option<&ComputerName>,
    now: Time,
) -> Result<()> {
    execute!(tx, "UPDATE users SET desktop_asked = enrolment WHERE id = $1", id)?;
    if let Some(name) = given {
        let sql =
            "UPDATE users SET personal_desktop = $2, updated_at = $3, version = version + 1 WHERE id = $1";
        execute!(tx, sql, id, name, now)?;
    }
    Ok(())
}

/// Starts a new enrolment of the user: questions asked once per enrolment will be asked again.
pub async fn begin_enrolment(tx: &mut Tx<'_>, id: &UserId) -> Result<bool> {
    Ok(execute!(tx, "UPDATE users SET enrolment = enrolment + 1 WHERE id = $1", id)? == 1)
}

/// Sets whether a new password must be chosen at the next login.
pub async fn set_must_change_password(tx: &mut Tx<'_>, id: &UserId, must: bool) -> Result<bool> {
    Ok(execute!(tx, "UPDATE users SET must_change_password = $2 WHERE id = $1", id, must)? == 1)
}

/// Sets the password's PHC string, or removes it.
pub async fn set_password(tx: &mut Tx<'_>, id: &UserId, hash: Option<&str>) -> Result<bool> {
    let sql =
        "UPDATE users SET password_hash = $2, password_scheme = NULL, password_source = NULL WHERE id = $1";
    Ok(execute!(tx, sql, id, hash)? == 1)
}

/// Stores the PHC string of a password that its user has chosen, if the user's epoch is still this one. The caller
/// raises the epoch, so that of concurrent changes one gets `true`.
pub async fn change_password(tx: &mut Tx<'_>, id: &UserId, hash: &str, epoch: Epoch) -> Result<bool> {
    let sql = "UPDATE users SET password_hash = $2, password_scheme = NULL, password_source = NULL,
                   must_change_password = FALSE
               WHERE id = $1 AND epoch = $3 AND upstream_id IS NULL";
    Ok(execute!(tx, sql, id, hash, epoch)? == 1)
}

/// Disables the user and ends their sessions. No-op if the user is disabled already.
pub async fn disable(tx: &mut Tx<'_>, id: &UserId) -> Result<()> {
    let sql = "UPDATE users SET disabled = TRUE, epoch = epoch + 1, version = version + 1
               WHERE id = $1 AND NOT disabled";
    if execute!(tx, sql, id)? == 1 {
        ended_sessions::end_others(tx, id, None).await?;
    }
    Ok(())
}

/// Ends everything issued to this user (see [`crate::domain::epoch`]).
pub async fn raise_epoch(tx: &mut Tx<'_>, id: &UserId) -> Result<()> {
    execute!(tx, "UPDATE users SET epoch = epoch + 1 WHERE id = $1", id)?;
    Ok(())
}

/// Locks the user's row until the end of the transaction, by an update that changes nothing.
///
/// It precedes decisions that no statement on the user's other rows can make: of two concurrent transactions that each
/// add a row, neither sees the other's, and two that each change several rows could deadlock.
pub async fn hold(tx: &mut Tx<'_>, id: &UserId) -> Result<()> {
    execute!(tx, "UPDATE users SET updated_at = updated_at WHERE id = $1", id)?;
    Ok(())
}

/// Fails the write with [`Conflict`](crate::storage::Error::Conflict) unless the user's epoch is still this one.
///
/// It is an update that changes nothing, so that it waits for a concurrent write that raises the epoch (a `SELECT` at
/// `READ COMMITTED` would read the old value), and such a write waits for this one.
pub fn queue_epoch_check(tx: &mut Tx<'_>, id: &UserId, epoch: Epoch) -> Result<()> {
    let sql = "UPDATE users SET epoch = $2 WHERE id = $1 AND epoch = $2";
    queue!(tx, ExpectedRows::One, sql, id, epoch);
    Ok(())
}

/// Replaces a password's hash by our own hash of the same password, unless it was changed meanwhile. The source of an
/// import is kept.
pub async fn rehash_password(tx: &mut Tx<'_>, id: &UserId, old: &str, new: &str) -> Result<bool> {
    let sql =
        "UPDATE users SET password_hash = $3, password_scheme = NULL WHERE id = $1 AND password_hash = $2";
    Ok(execute!(tx, sql, id, old, new)? == 1)
}

/// The users of a tenant by name, with their stored passwords.
pub async fn all(tx: &mut Tx<'_>, tenant: &TenantId) -> Result<Vec<UserCredentials>> {
    let rows: Vec<CredentialsRow> = on!(tx, conn => sqlx::query_as(
        concat!("SELECT ", credentials!(), " FROM users WHERE tenant_id = $1 ORDER BY username_key"))
        .bind(tenant).fetch_all(conn))?;
    Ok(rows.into_iter().map(UserCredentials::from).collect())
}

/// Removes a user with authenticators, sessions and grants.
pub async fn remove(tx: &mut Tx<'_>, id: &UserId) -> Result<bool> {
    // A login that is being completed is waited for, so that the session it makes ends here too.
    hold(tx, id).await?;
    ended_sessions::end_others(tx, id, None).await?;
    let removed: Option<(TenantId, Epoch, Option<String>)> = on!(tx, conn => sqlx::query_as(
        "DELETE FROM users WHERE id = $1 RETURNING tenant_id, epoch, shared_key").bind(id).fetch_optional(conn))?;
    let Some((tenant, epoch, shared)) = removed else { return Ok(false) };
    if let Some(key) = shared {
        username_keys::release(tx, &tenant, &key).await?;
    }
    let of_tenant: Option<Epoch> = on!(tx, conn => sqlx::query_scalar(
        "SELECT epoch FROM tenants WHERE id = $1").bind(&tenant).fetch_optional(conn))?;
    epochs::raise_floor(tx, epoch + of_tenant.unwrap_or_default()).await?;
    Ok(true)
}
