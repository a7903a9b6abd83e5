//! Where the epochs of new users and clients start (see `domain::epoch`): above those of all that were removed. A tenant's id
//! is random and never comes back, so its epoch starts at the first.

use crate::domain::epoch::Epoch;
use crate::storage::core::error::Result;
use crate::storage::core::tx::Tx;

/// Makes new rows start above this sum, of which a removed row was a part. It does not add them up: users come and go.
pub(in crate::storage) async fn raise_floor(tx: &mut Tx<'_>, removed: Epoch) -> Result<()> {
    execute!(
        tx,
        "UPDATE epochs SET floor = CASE WHEN floor > $1 THEN floor ELSE $1 END + 1 WHERE id = 1",
        removed
    )?;
    Ok(())
}
