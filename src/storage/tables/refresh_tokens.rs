//! Refresh tokens: each is used once, and its use creates its successor (RFC 6749 §6, RFC 9700 §4.14.2).

use super::grants::{GrantWithUser, WithClient, active_grant, grant_with_client, grant_with_user};
use crate::domain::grant::{RefreshState, RefreshToken};
use crate::domain::ids::{GrantId, Hash};
use crate::domain::time::Time;
use crate::storage::core::error::Result;
use crate::storage::core::queue::ExpectedRows;
use crate::storage::core::tx::Tx;

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
struct TokenWithGrant {
    hash: Hash,
    token_expires_at: Time,
    used_at: Option<Time>,
    salt: Option<String>,
    redirect_uri: String,
    #[sqlx(flatten)]
    found: WithClient,
}

impl TokenWithGrant {
    fn still_registered(self) -> Option<(RefreshToken, GrantWithUser)> {
        let Self { hash, token_expires_at: expires_at, used_at, salt, redirect_uri, found } = self;
        let found = found.still_registered(&redirect_uri)?;
        let row = Row { hash, grant_id: found.grant.id.clone(), expires_at, used_at, salt };
        Some((row.into(), found))
    }
}

/// Adds an unused token.
pub fn queue_insert(tx: &mut Tx<'_>, hash: &Hash, grant: &GrantId, expires_at: Time) -> Result<()> {
    queue!(
        tx,
        ExpectedRows::Any,
        "INSERT INTO refresh_tokens (hash, grant_id, expires_at) VALUES ($1, $2, $3)",
        hash,
        grant,
        expires_at,
    );
    Ok(())
}

/// The token with this hash, used or not; `None` if it has expired.
pub async fn by_hash(tx: &mut Tx<'_>, hash: &Hash, now: Time) -> Result<Option<RefreshToken>> {
    let row: Option<Row> = on!(tx, conn => sqlx::query_as(
        "SELECT hash, grant_id, expires_at, used_at, salt FROM refresh_tokens WHERE hash = $1 AND expires_at > $2")
        .bind(hash).bind(now).fetch_optional(conn))?;
    Ok(row.map(RefreshToken::from))
}

/// The token with its grant and user, in one statement. `None` also if its grant, user, tenant or client has ended, or
/// the redirect URI of its family is no longer registered. The row of the code that a grant began with is kept.
pub async fn with_grant(
    tx: &mut Tx<'_>,
    hash: &Hash,
    now: Time,
) -> Result<Option<(RefreshToken, GrantWithUser)>> {
    let row: Option<TokenWithGrant> = on!(tx, conn => sqlx::query_as(concat!(
        "SELECT r.hash, r.expires_at AS token_expires_at, r.used_at, r.salt, k.redirect_uri, ",
        grant_with_client!(), "
         FROM refresh_tokens r
         JOIN grants g ON g.id = r.grant_id
         JOIN codes k ON k.grant_id = g.id", active_grant!(), " AND r.hash = $1 AND r.expires_at > $2"))
        .bind(hash).bind(now).fetch_optional(conn))?;
    Ok(row.and_then(TokenWithGrant::still_registered))
}

/// Marks an unused token as used; of concurrent callers one gets `true`. Its successor is derived from it and `salt`.
pub async fn claim(tx: &mut Tx<'_>, hash: &Hash, salt: &str, now: Time) -> Result<bool> {
    let sql = "UPDATE refresh_tokens SET used_at = $3, salt = $2 WHERE hash = $1 AND used_at IS NULL";
    Ok(execute!(tx, sql, hash, salt, now)? == 1)
}
