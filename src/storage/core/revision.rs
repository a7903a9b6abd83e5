//! The revision row: a counter of the changes to what nodes cache.

use super::error::Result;
use super::tx::Tx;

/// The current revision.
pub(in crate::storage) async fn current(tx: &mut Tx<'_>) -> Result<i64> {
    on!(tx, conn => sqlx::query_scalar("SELECT number FROM revision WHERE id = 1").fetch_one(conn))
}

/// Increments the revision. Each function that changes tenants, hosts, clients or keys calls it, so no caller can
/// forget it.
pub(in crate::storage) async fn bump(tx: &mut Tx<'_>) -> Result<()> {
    execute!(tx, "UPDATE revision SET number = number + 1 WHERE id = 1")?;
    tx.note_catalogue_change();
    Ok(())
}
