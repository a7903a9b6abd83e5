//! The audit trail: what happened and its record are one commit. `docs/audit.md` tells what is recorded and for how long.

mod read;
mod record;
mod refusals;
#[cfg(test)]
mod tests;

pub(crate) use crate::domain::audit::Entry;
pub(crate) use read::{after, assign_places};
pub(crate) use record::record;
pub(crate) use refusals::RefusalQueue;
