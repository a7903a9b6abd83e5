//! Recovery codes, stored as hashes.

use crate::domain::ids::{Hash, UserId};
use crate::domain::time::Time;
use crate::storage::core::error::Result;
use crate::storage::core::tx::Tx;

/// Replaces the user's codes.
pub async fn replace(tx: &mut Tx<'_>, user: &UserId, codes: &[Hash]) -> Result<()> {
    execute!(tx, "DELETE FROM recovery_codes WHERE user_id = $1", user)?;
    for code in codes {
        execute!(tx, "INSERT INTO recovery_codes (user_id, hash) VALUES ($1, $2)", user, code)?;
    }
    Ok(())
}

/// Redeems a code; of concurrent callers one gets `true`.
pub async fn redeem(tx: &mut Tx<'_>, user: &UserId, code: &Hash, now: Time) -> Result<bool> {
    let sql = "UPDATE recovery_codes SET used_at = $3 WHERE user_id = $1 AND hash = $2 AND used_at IS NULL";
    Ok(execute!(tx, sql, user, code, now)? == 1)
}

/// The number of unused codes.
pub async fn left(tx: &mut Tx<'_>, user: &UserId) -> Result<i64> {
    on!(tx, conn => sqlx::query_scalar(
        "SELECT COUNT(*) FROM recovery_codes WHERE user_id = $1 AND used_at IS NULL")
        .bind(user).fetch_one(conn))
}
