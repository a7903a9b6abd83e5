//! Opaque access tokens, found by the hash of their value.

use super::grants::{GrantWithUser, WithUser, grant_with_user};
use crate::domain::audience::Audience;
use crate::domain::epoch::Epoch;
use crate::domain::grant::OpaqueToken;
use crate::domain::ids::{ClientId, GrantId, Hash, IssuerId};
use crate::domain::scope::Scope;
use crate::domain::time::Time;
use crate::storage::core::error::Result;
use crate::storage::core::json::{Json, Word};
use crate::storage::core::tx::Tx;

#[derive(sqlx::FromRow)]
struct Row {
    hash: Hash,
    jti: String,
    token_issuer_id: IssuerId,
    token_client_id: ClientId,
    token_grant_id: Option<GrantId>,
    token_epoch: Epoch,
    subject: String,
    token_scope: Word<Scope>,
    token_audience: Json<Audience>,
    issued_at: Time,
    token_expires_at: Time,
}

/// A token and, if it was issued for a user, its grant and user.
struct WithGrant {
    token: Row,
    grant: Option<WithUser>,
}

/// The columns of grant and user are NULL in the row of a client's own token.
impl<'r, R: sqlx::Row> sqlx::FromRow<'r, R> for WithGrant
where
    Row: sqlx::FromRow<'r, R>,
    WithUser: sqlx::FromRow<'r, R>,
{
    fn from_row(row: &'r R) -> sqlx::Result<Self> {
        let token = Row::from_row(row)?;
        let grant = token.token_grant_id.as_ref().map(|_| WithUser::from_row(row)).transpose()?;
        Ok(Self { token, grant })
    }
}

impl From<Row> for OpaqueToken {
    fn from(row: Row) -> Self {
        Self {
            hash: row.hash,
            jti: row.jti,
            issuer: row.token_issuer_id,
            client: row.token_client_id,
            grant: row.token_grant_id,
            epoch: row.token_epoch,
            subject: row.subject,
            scope: row.token_scope.0,
            audience: row.token_audience.0,
            issued_at: row.issued_at,
            expires_at: row.token_expires_at,
        }
    }
}

/// Adds a token. `Error::Conflict` if its client or its grant no longer exists.
pub async fn insert(tx: &mut Tx<'_>, token: &OpaqueToken) -> Result<()> {
    execute!(
        tx,
        "INSERT INTO access_tokens (hash, jti, issuer_id, client_issuer_id, client_id, grant_id, subject, scope,
             audience, issued_at, expires_at, epoch)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        &token.hash,
        &token.jti,
        &token.issuer,
        token.issuer.home(),
        &token.client,
        &token.grant,
        &token.subject,
        Word(&token.scope),
        Json(&token.audience),
        token.issued_at,
        token.expires_at,
        token.epoch,
    )?;
    Ok(())
}

/// The condition that the token `$1` of the issuer `$2` is active at `$3`: not expired; grant not revoked; client, user
/// and tenant not disabled; no epoch raised since it was issued.
macro_rules! alive {
    () => {
        " FROM access_tokens a
         JOIN clients c ON c.issuer_id = a.client_issuer_id AND c.id = a.client_id
         LEFT JOIN grants g ON g.id = a.grant_id
         LEFT JOIN users u ON u.id = g.user_id
         LEFT JOIN tenants t ON t.id = u.tenant_id
         LEFT JOIN tenants ct ON ct.id = c.tenant_id
         WHERE a.hash = $1 AND a.issuer_id = $2 AND a.expires_at > $3 AND NOT c.disabled
             AND NOT COALESCE(ct.disabled, FALSE)
             AND CASE WHEN a.grant_id IS NULL THEN a.epoch = c.epoch + COALESCE(ct.epoch, 0)
                 ELSE g.revoked_at IS NULL AND NOT u.disabled AND NOT t.disabled
                     AND g.epoch = u.epoch + t.epoch + c.epoch + COALESCE(ct.epoch, 0) END"
    };
}

/// An active token of this issuer with its grant and user, in one statement.
pub async fn alive(
    tx: &mut Tx<'_>,
    issuer: &IssuerId,
    hash: &Hash,
    now: Time,
) -> Result<Option<(OpaqueToken, Option<GrantWithUser>)>> {
    let row: Option<WithGrant> = on!(tx, conn => sqlx::query_as(concat!(
        "SELECT a.hash, a.jti, a.issuer_id AS token_issuer_id, a.client_id AS token_client_id,
             a.grant_id AS token_grant_id, a.epoch AS token_epoch, a.subject, a.scope AS token_scope, a.audience AS token_audience,
             a.issued_at, a.expires_at AS token_expires_at, ", grant_with_user!(), alive!()))
        .bind(hash).bind(issuer).bind(now).fetch_optional(conn))?;
    Ok(row.map(|row| (row.token.into(), row.grant.map(WithUser::into))))
}

/// The version of the user of such a token, if it was issued for a user.
pub(in crate::storage) async fn user_version(
    tx: &mut Tx<'_>,
    issuer: &IssuerId,
    hash: &Hash,
    now: Time,
) -> Result<Option<Option<i64>>> {
    on!(tx, conn => sqlx::query_scalar(concat!("SELECT u.version", alive!()))
        .bind(hash).bind(issuer).bind(now).fetch_optional(conn))
}

/// Deletes a token if it was issued to this client (RFC 7009 §2.1).
pub async fn revoke(tx: &mut Tx<'_>, issuer: &IssuerId, client: &ClientId, hash: &Hash) -> Result<bool> {
    let sql = "DELETE FROM access_tokens WHERE hash = $1 AND issuer_id = $2 AND client_id = $3";
    Ok(execute!(tx, sql, hash, issuer, client)? == 1)
}
