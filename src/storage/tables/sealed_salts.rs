//! Random values that are generated once per database and never change, stored sealed because they are read back. They
//! are secrets, so an export does not contain them.

use crate::storage::core::error::Result;
use crate::storage::core::tx::Tx;

/// The sealed salt with this name.
pub async fn by_name(tx: &mut Tx<'_>, name: &str) -> Result<Option<String>> {
    on!(tx, conn => sqlx::query_scalar("SELECT sealed FROM salts WHERE name = $1").bind(name).fetch_optional(conn))
}

/// Stores the first salt of this name; of concurrent callers one gets `true`, and all use its salt.
pub async fn insert_first(tx: &mut Tx<'_>, name: &str, sealed: &str) -> Result<bool> {
    let sql = "INSERT INTO salts (name, sealed) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING";
    Ok(execute!(tx, sql, name, sealed)? == 1)
}
