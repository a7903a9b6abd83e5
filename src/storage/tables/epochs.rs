//! The first epoch of new users and clients (see `domain::epoch`): above those of all removed ones. A tenant's id is
//! random and never reused, so its epoch starts at the first.

use crate::domain::epoch::Epoch;
use crate::storage::core::error::Result;
use crate::storage::core::tx::Tx;

/// Makes the epochs of new rows start above this sum, which contains a removed row's epoch. Keeps the maximum instead
/// of adding, so that it grows slowly.
pub(in crate::storage) async fn raise_floor(tx: &mut Tx<'_>, removed: Epoch) -> Result<()> {
    execute!(
        tx,
        "UPDATE epochs SET floor = CASE WHEN floor > $1 THEN floor ELSE $1 END + 1 WHERE id = 1",
        removed
    )?;
    Ok(())
}
