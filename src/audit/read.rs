//! Reads the trail in its order.

use crate::storage::audit::{self, Placed};
use crate::storage::{Db, Result};

/// Entries numbered by one transaction.
const BATCH: i64 = 1000;

/// The entries after this place, at most `limit`, in the order of their commits. A reader that goes on from the last place
/// that it has seen misses none.
pub(crate) async fn after(db: &Db, place: i64, limit: i64) -> Result<Vec<Placed>> {
    assign_places(db).await?;
    audit::after(&mut db.read().tx(), place, limit).await
}

/// Gives every committed entry its place. Nodes may do so at once.
pub(crate) async fn assign_places(db: &Db) -> Result<()> {
    while audit::any_unplaced(&mut db.read().tx()).await? {
        db.write(|tx| Box::pin(audit::assign_places(tx, BATCH))).await?;
    }
    Ok(())
}
