//! Grants: what users have authorized clients to do.

use std::time::Duration;

use super::users;
use crate::domain::acr::AuthContext;
use crate::domain::audience::Audience;
use crate::domain::claims::ClaimsRequest;
use crate::domain::client::ClientMetadata;
use crate::domain::epoch::Epoch;
use crate::domain::grant::Grant;
use crate::domain::ids::{ClientId, GrantId, IssuerId, SessionId, UserId};
use crate::domain::scope::Scope;
use crate::domain::time::Time;
use crate::domain::user::User;
use crate::storage::core::error::Result;
use crate::storage::core::json::{Json, Word};
use crate::storage::core::queue::ExpectedRows;
use crate::storage::core::tx::Tx;

#[derive(sqlx::FromRow)]
struct Row {
    grant_id: GrantId,
    issuer_id: IssuerId,
    client_id: ClientId,
    user_id: UserId,
    session_id: SessionId,
    grant_epoch: Epoch,
    scope: Word<Scope>,
    audience: Json<Audience>,
    claims: Json<ClaimsRequest>,
    context: Json<AuthContext>,
    created_at: Time,
    expires_at: Time,
    refresh_idle: Option<i64>,
}

impl From<Row> for Grant {
    fn from(row: Row) -> Self {
        Self {
            id: row.grant_id,
            issuer: row.issuer_id,
            client: row.client_id,
            user: row.user_id,
            session: row.session_id,
            epoch: row.grant_epoch,
            scope: row.scope.0,
            audience: row.audience.0,
            claims: row.claims.0,
            context: row.context.0,
            created_at: row.created_at,
            expires_at: row.expires_at,
            refresh_idle: row
                .refresh_idle
                .and_then(|seconds| seconds.try_into().ok())
                .map(Duration::from_secs),
        }
    }
}

/// A grant and its user.
#[derive(Clone, Debug, PartialEq)]
pub struct GrantWithUser {
    /// The grant, which never changes.
    pub grant: Grant,
    /// The user who gave it, as of `version`.
    pub user: User,
    /// The version of the user's row.
    pub version: i64,
}

#[derive(sqlx::FromRow)]
pub(in crate::storage) struct WithUser {
    #[sqlx(flatten)]
    grant: Row,
    #[sqlx(flatten)]
    user: users::Row,
    user_version: i64,
}

impl From<WithUser> for GrantWithUser {
    fn from(row: WithUser) -> Self {
        Self { grant: row.grant.into(), user: row.user.into(), version: row.user_version }
    }
}

/// A grant with its user and the client's registered metadata: read to redeem a code or a refresh token.
#[derive(sqlx::FromRow)]
pub(in crate::storage) struct WithClient {
    #[sqlx(flatten)]
    with_user: WithUser,
    client_metadata: Json<ClientMetadata>,
}

impl WithClient {
    /// Returns the grant and its user if the redirect URI that led to the grant is still registered. The request was
    /// checked against the catalogue, which may be 250 ms old; this row is read inside the write that redeems.
    pub(in crate::storage) fn still_registered(self, redirect_uri: &str) -> Option<GrantWithUser> {
        let registered = self.client_metadata.0.redirect_uri(redirect_uri).is_some();
        registered.then(|| self.with_user.into())
    }
}

/// The columns of [`WithUser`]; `g` is the grant, `u` its user.
macro_rules! grant_with_user {
    () => {
        "g.id AS grant_id, g.issuer_id, g.client_id, g.user_id, g.session_id, g.epoch AS grant_epoch, g.scope, g.audience, g.claims,
             g.context, g.created_at, g.expires_at, g.refresh_idle,
             u.tenant_id, u.username, u.disabled AS user_disabled, u.epoch AS user_epoch, u.roles, u.profile, u.updated_at,
             u.directory_key, u.personal_desktop, u.upstream_id, u.upstream_subject, u.version AS user_version"
    };
}
pub(in crate::storage) use grant_with_user;

/// The columns of [`WithClient`]; `c` is the client.
macro_rules! grant_with_client {
    () => {
        concat!(grant_with_user!(), ", c.metadata AS client_metadata")
    };
}
pub(in crate::storage) use grant_with_client;

/// The condition that a grant `g` is active: not revoked; user, tenant and client not disabled; no epoch raised since.
macro_rules! active_grant {
    () => {
        "
         JOIN users u ON u.id = g.user_id AND NOT u.disabled
         JOIN tenants t ON t.id = u.tenant_id AND NOT t.disabled
         JOIN clients c ON c.issuer_id = g.client_issuer_id AND c.id = g.client_id AND NOT c.disabled
         LEFT JOIN tenants ct ON ct.id = c.tenant_id
         WHERE g.revoked_at IS NULL AND g.epoch = u.epoch + t.epoch + c.epoch + COALESCE(ct.epoch, 0)"
    };
}
pub(in crate::storage) use active_grant;

/// The condition that the grant `$1` is active and, if a `jti` `$2` is given, the token with it is not revoked.
macro_rules! alive {
    () => {
        concat!(
            " FROM grants g",
            active_grant!(),
            " AND g.id = $1 AND NOT EXISTS (SELECT 1 FROM revoked_tokens r WHERE r.jti = $2)"
        )
    };
}

/// Adds a grant. [`Conflict`](crate::storage::Error::Conflict) if client or user no longer exist.
pub fn queue_insert(tx: &mut Tx<'_>, grant: &Grant) -> Result<()> {
    queue!(
        tx,
        ExpectedRows::Any,
        "INSERT INTO grants (id, issuer_id, client_issuer_id, client_id, user_id, session_id, scope, audience, claims,
             context, created_at, expires_at, refresh_idle, epoch)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        &grant.id,
        &grant.issuer,
        grant.issuer.home(),
        &grant.client,
        &grant.user,
        &grant.session,
        Word(&grant.scope),
        Json(&grant.audience),
        Json(&grant.claims),
        Json(&grant.context),
        grant.created_at,
        grant.expires_at,
        grant.refresh_idle.map(|idle| i64::try_from(idle.as_secs()).unwrap_or(i64::MAX)),
        grant.epoch,
    );
    Ok(())
}

/// The grant with this id, revoked or not.
pub async fn by_id(tx: &mut Tx<'_>, id: &GrantId) -> Result<Option<Grant>> {
    let row: Option<Row> = on!(tx, conn => sqlx::query_as(
        "SELECT id AS grant_id, issuer_id, client_id, user_id, session_id, epoch AS grant_epoch, scope, audience, claims,
             context, created_at, expires_at, refresh_idle
         FROM grants WHERE id = $1").bind(id).fetch_optional(conn))?;
    Ok(row.map(Grant::from))
}

/// The active grant with this id and its user, in one statement; `None` also if the token with this `jti` is revoked.
pub async fn with_user(tx: &mut Tx<'_>, id: &GrantId, jti: Option<&str>) -> Result<Option<GrantWithUser>> {
    let row: Option<WithUser> = on!(tx, conn => sqlx::query_as(concat!("SELECT ", grant_with_user!(), alive!()))
        .bind(id).bind(jti).fetch_optional(conn))?;
    Ok(row.map(WithUser::into))
}

/// The active grant with this id and its user, in one statement; `None` also if the redirect URI is no longer
/// registered.
pub(in crate::storage) async fn with_redirect_uri(
    tx: &mut Tx<'_>,
    id: &GrantId,
    redirect_uri: &str,
) -> Result<Option<GrantWithUser>> {
    let row: Option<WithClient> = on!(tx, conn => sqlx::query_as(
        concat!("SELECT ", grant_with_client!(), " FROM grants g", active_grant!(), " AND g.id = $1"))
        .bind(id).fetch_optional(conn))?;
    Ok(row.and_then(|row| row.still_registered(redirect_uri)))
}

/// The version of the user of the active grant with this id; `None` also if the token with this `jti` is revoked.
pub(in crate::storage) async fn user_version(
    tx: &mut Tx<'_>,
    id: &GrantId,
    jti: Option<&str>,
) -> Result<Option<i64>> {
    on!(tx, conn => sqlx::query_scalar(concat!("SELECT u.version", alive!()))
        .bind(id).bind(jti).fetch_optional(conn))
}

/// Raises the epoch of the grants given in a session along with the user's, so that they stay valid.
pub async fn carry_over(tx: &mut Tx<'_>, session: &SessionId) -> Result<()> {
    execute!(
        tx,
        "UPDATE grants SET epoch = epoch + 1 WHERE session_id = $1 AND revoked_at IS NULL",
        session
    )?;
    Ok(())
}

/// Revokes a grant, which ends every token issued from it.
pub async fn revoke(tx: &mut Tx<'_>, id: &GrantId, now: Time) -> Result<bool> {
    Ok(execute!(tx, "UPDATE grants SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL", id, now)? == 1)
}

/// Revokes the grants given in a session that end with it: those without `offline_access`.
pub async fn revoke_online(tx: &mut Tx<'_>, session: &SessionId, now: Time) -> Result<u64> {
    let sql = "UPDATE grants SET revoked_at = $2 WHERE session_id = $1 AND revoked_at IS NULL
               AND ' ' || scope || ' ' NOT LIKE '% offline_access %'";
    execute!(tx, sql, session, now)
}

/// Revokes all grants given in a session.
pub async fn revoke_session(tx: &mut Tx<'_>, session: &SessionId, now: Time) -> Result<u64> {
    execute!(
        tx,
        "UPDATE grants SET revoked_at = $2 WHERE session_id = $1 AND revoked_at IS NULL",
        session,
        now
    )
}
