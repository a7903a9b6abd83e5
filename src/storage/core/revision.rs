//! The one row that says how often something was changed that nodes cache.

use super::error::Result;
use super::tx::Tx;

/// The number now.
pub(in crate::storage) async fn current(tx: &mut Tx<'_>) -> Result<i64> {
    on!(tx, conn => sqlx::query_scalar("SELECT number FROM revision WHERE id = 1").fetch_one(conn))
}

/// Raises the number. Every function that changes tenants, hosts, clients or keys calls this, so that no caller can forget.
pub(in crate::storage) async fn bump(tx: &mut Tx<'_>) -> Result<()> {
    execute!(tx, "UPDATE revision SET number = number + 1 WHERE id = 1")?;
    tx.note_catalogue_change();
    Ok(())
}
