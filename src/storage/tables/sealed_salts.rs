//! Random values that are drawn once for a database and kept for ever, sealed as everything that must be read back. An
//! export does not carry them: they are secrets.

use crate::storage::core::error::Result;
use crate::storage::core::tx::Tx;

/// The salt of this name, if there is one yet.
pub async fn by_name(tx: &mut Tx<'_>, name: &str) -> Result<Option<String>> {
    on!(tx, conn => sqlx::query_scalar("SELECT sealed FROM salts WHERE name = $1").bind(name).fetch_optional(conn))
}

/// Keeps the first salt of this name; of all who bring one, one gets `true`, and all read his.
pub async fn insert_first(tx: &mut Tx<'_>, name: &str, sealed: &str) -> Result<bool> {
    let sql = "INSERT INTO salts (name, sealed) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING";
    Ok(execute!(tx, sql, name, sealed)? == 1)
}
