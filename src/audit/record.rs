//! Records what happened in the write that does it.

use crate::domain::audit::Entry;
use crate::storage::{Result, Tx, audit};

/// Adds the entry to the write of the thing that it tells: both are committed or neither. The observer is told after the
/// commit, once, and never of a write that was undone.
pub(crate) fn record(tx: &mut Tx<'_>, entry: Entry) -> Result<()> {
    audit::queue_insert(tx, entry)
}
