//! Refresh tokens: each is used once, and its use makes its successor (RFC 6749 §6, RFC 9700 §4.14.2).

use super::Tx;
use super::error::Result;
use super::grants::{Ground, WithUser, ground};
use crate::domain::grant::{RefreshState, RefreshToken};
use crate::domain::ids::{ClientId, GrantId, Hash, IssuerId};
use crate::domain::time::Time;

#[derive(sqlx::FromRow)]
struct Row {
    hash: Hash,
    grant_id: GrantId,
    expires_at: Time,
    used_at: Option<Time>,
    salt: Option<String>,
}

impl From<Row> for RefreshToken {
    fn from(row: Row) -> Self {
        let state = match (row.used_at, row.salt) {
            (Some(at), Some(salt)) => RefreshState::Used { at, salt },
            _ => RefreshState::Fresh,
        };
        Self { hash: row.hash, grant: row.grant_id, expires_at: row.expires_at, state }
    }
}

#[derive(sqlx::FromRow)]
struct WithGrant {
    token_expires_at: Time,
    #[sqlx(flatten)]
    grant: WithUser,
}

/// Adds a fresh token.
pub async fn insert(tx: &mut Tx<'_>, hash: &Hash, grant: &GrantId, expires_at: Time) -> Result<()> {
    execute!(
        tx,
        "INSERT INTO refresh_tokens (hash, grant_id, expires_at) VALUES ($1, $2, $3)",
        hash,
        grant,
        expires_at,
    )?;
    Ok(())
}

/// The token with this hash, used or not; not one that has expired.
pub async fn by_hash(tx: &mut Tx<'_>, hash: &Hash, now: Time) -> Result<Option<RefreshToken>> {
    let row: Option<Row> = on!(tx, conn => sqlx::query_as(
        "SELECT hash, grant_id, expires_at, used_at, salt FROM refresh_tokens WHERE hash = $1 AND expires_at > $2")
        .bind(hash).bind(now).fetch_optional(conn))?;
    Ok(row.map(RefreshToken::from))
}

/// An unused token of this client that is alive, with its grant and its user, in one statement.
pub async fn alive(
    tx: &mut Tx<'_>,
    issuer: &IssuerId,
    client: &ClientId,
    hash: &Hash,
    now: Time,
) -> Result<Option<(Time, Ground)>> {
    let row: Option<WithGrant> = on!(tx, conn => sqlx::query_as(concat!(
        "SELECT r.expires_at AS token_expires_at, ", ground!(), "
         FROM refresh_tokens r
         JOIN grants g ON g.id = r.grant_id
         JOIN users u ON u.id = g.user_id
         JOIN tenants t ON t.id = u.tenant_id
         JOIN clients c ON c.issuer_id = g.client_issuer_id AND c.id = g.client_id
         WHERE r.hash = $1 AND r.expires_at > $2 AND r.used_at IS NULL AND g.issuer_id = $3 AND g.client_id = $4
             AND g.revoked_at IS NULL AND NOT u.disabled AND NOT t.disabled AND NOT c.disabled"))
        .bind(hash).bind(now).bind(issuer).bind(client).fetch_optional(conn))?;
    Ok(row.map(|row| (row.token_expires_at, row.grant.into())))
}

/// Uses a fresh token up; of all who bring it, one gets `true`. Its successor is made of it and `salt`.
pub async fn claim(tx: &mut Tx<'_>, hash: &Hash, salt: &str, now: Time) -> Result<bool> {
    let sql = "UPDATE refresh_tokens SET used_at = $3, salt = $2 WHERE hash = $1 AND used_at IS NULL";
    Ok(execute!(tx, sql, hash, salt, now)? == 1)
}
