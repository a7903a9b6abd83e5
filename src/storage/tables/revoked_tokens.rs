//! Signed access tokens that were revoked individually. Signed tokens have no row otherwise.

use crate::domain::time::Time;
use crate::storage::core::error::Result;
use crate::storage::core::tx::Tx;

/// Revokes a token, by its `jti`, until it expires. Idempotent.
pub async fn insert(tx: &mut Tx<'_>, jti: &str, expires_at: Time) -> Result<()> {
    let sql = "INSERT INTO revoked_tokens (jti, expires_at) VALUES ($1, $2) ON CONFLICT (jti) DO NOTHING";
    execute!(tx, sql, jti, expires_at)?;
    Ok(())
}

/// Returns whether the token with this `jti` was revoked.
pub async fn contains(tx: &mut Tx<'_>, jti: &str) -> Result<bool> {
    let found: Option<String> = on!(tx, conn => sqlx::query_scalar(
        "SELECT jti FROM revoked_tokens WHERE jti = $1").bind(jti).fetch_optional(conn))?;
    Ok(found.is_some())
}
