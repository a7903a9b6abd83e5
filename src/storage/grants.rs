//! Grants: what users allowed clients.

use std::time::Duration;

use super::error::Result;
use super::json::{Json, Word};
use super::{Tx, users};
use crate::domain::acr::AuthContext;
use crate::domain::audience::Audience;
use crate::domain::claims::ClaimsRequest;
use crate::domain::grant::Grant;
use crate::domain::ids::{ClientId, GrantId, IssuerId, SessionId, UserId};
use crate::domain::scope::Scope;
use crate::domain::time::Time;
use crate::domain::user::User;

#[derive(sqlx::FromRow)]
struct Row {
    grant_id: GrantId,
    issuer_id: IssuerId,
    client_id: ClientId,
    user_id: UserId,
    session_id: SessionId,
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

#[derive(sqlx::FromRow)]
pub(super) struct WithUser {
    #[sqlx(flatten)]
    grant: Row,
    #[sqlx(flatten)]
    user: users::Row,
}

impl From<WithUser> for (Grant, User) {
    fn from(row: WithUser) -> Self {
        (row.grant.into(), row.user.into())
    }
}

/// Adds a grant. `Error::Conflict` if client or user have gone.
pub async fn insert(tx: &mut Tx<'_>, grant: &Grant) -> Result<()> {
    execute!(
        tx,
        "INSERT INTO grants (id, issuer_id, client_issuer_id, client_id, user_id, session_id, scope, audience, claims,
             context, created_at, expires_at, refresh_idle)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
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
    )?;
    Ok(())
}

/// The grant with this id, revoked or not.
pub async fn by_id(tx: &mut Tx<'_>, id: &GrantId) -> Result<Option<Grant>> {
    let row: Option<Row> = on!(tx, conn => sqlx::query_as(
        "SELECT id AS grant_id, issuer_id, client_id, user_id, session_id, scope, audience, claims, context,
             created_at, expires_at, refresh_idle
         FROM grants WHERE id = $1").bind(id).fetch_optional(conn))?;
    Ok(row.map(Grant::from))
}

/// A grant that is alive, with its user, in one statement: not revoked, user, tenant and client not disabled; nor the
/// token with this `jti` revoked, if one is meant.
pub async fn with_user(tx: &mut Tx<'_>, id: &GrantId, jti: Option<&str>) -> Result<Option<(Grant, User)>> {
    let row: Option<WithUser> = on!(tx, conn => sqlx::query_as(
        "SELECT g.id AS grant_id, g.issuer_id, g.client_id, g.user_id, g.session_id, g.scope, g.audience, g.claims,
             g.context, g.created_at, g.expires_at, g.refresh_idle,
             u.tenant_id, u.username, u.disabled AS user_disabled, u.roles, u.profile, u.updated_at, u.directory_key, u.personal_desktop,
             u.upstream_id, u.upstream_subject
         FROM grants g
         JOIN users u ON u.id = g.user_id
         JOIN tenants t ON t.id = u.tenant_id
         JOIN clients c ON c.issuer_id = g.client_issuer_id AND c.id = g.client_id
         WHERE g.id = $1 AND g.revoked_at IS NULL AND NOT u.disabled AND NOT t.disabled AND NOT c.disabled
             AND NOT EXISTS (SELECT 1 FROM revoked_tokens r WHERE r.jti = $2)")
        .bind(id).bind(jti).fetch_optional(conn))?;
    Ok(row.map(WithUser::into))
}

/// Ends a grant and with it everything issued from it.
pub async fn revoke(tx: &mut Tx<'_>, id: &GrantId, now: Time) -> Result<bool> {
    Ok(execute!(tx, "UPDATE grants SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL", id, now)? == 1)
}

/// Ends all grants that a user gave.
pub async fn revoke_user(tx: &mut Tx<'_>, user: &UserId, now: Time) -> Result<u64> {
    execute!(tx, "UPDATE grants SET revoked_at = $2 WHERE user_id = $1 AND revoked_at IS NULL", user, now)
}

/// Ends the grants of a user that were not given in this session.
pub async fn revoke_elsewhere(tx: &mut Tx<'_>, user: &UserId, keep: &SessionId, now: Time) -> Result<u64> {
    let sql = "UPDATE grants SET revoked_at = $3
               WHERE user_id = $1 AND session_id <> $2 AND revoked_at IS NULL";
    execute!(tx, sql, user, keep, now)
}

/// Ends the grants given in a session that end with it: all but those with `offline_access`.
pub async fn revoke_online(tx: &mut Tx<'_>, session: &SessionId, now: Time) -> Result<u64> {
    let sql = "UPDATE grants SET revoked_at = $2 WHERE session_id = $1 AND revoked_at IS NULL
               AND ' ' || scope || ' ' NOT LIKE '% offline_access %'";
    execute!(tx, sql, session, now)
}

/// Ends all grants given in a session.
pub async fn revoke_session(tx: &mut Tx<'_>, session: &SessionId, now: Time) -> Result<u64> {
    execute!(
        tx,
        "UPDATE grants SET revoked_at = $2 WHERE session_id = $1 AND revoked_at IS NULL",
        session,
        now
    )
}
