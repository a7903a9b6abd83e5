//! Where the epochs of new rows start (see `domain::epoch`): above those of all rows that were removed.

use super::Tx;
use super::error::Result;
use crate::domain::epoch::Epoch;

/// Makes new rows start above this sum, of which a removed row was a part.
pub(super) async fn raise_floor(tx: &mut Tx<'_>, removed: Epoch) -> Result<()> {
    execute!(tx, "UPDATE epochs SET floor = floor + 1 + $1 WHERE id = 1", removed)?;
    Ok(())
}
