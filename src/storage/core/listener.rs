//! The listener of committed audit entries.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;

use crate::domain::audit::Entry;

type Listen = Box<dyn Fn(&Entry) + Send + Sync>;

/// Calls a function with each entry that was committed.
#[derive(Default)]
pub(super) struct EntryListener(OnceLock<Listen>);

impl EntryListener {
    /// Sets the function, unless there is one.
    pub(super) fn set(&self, listen: Listen) {
        let _ = self.0.set(listen);
    }

    /// Calls it. A panic in it must not end the writer, whose other closures are committed.
    pub(super) fn tell(&self, entry: &Entry) {
        if let Some(listen) = self.0.get()
            && catch_unwind(AssertUnwindSafe(|| listen(entry))).is_err()
        {
            tracing::error!(event = entry.event.name(), "the observer panicked");
        }
    }
}

impl fmt::Debug for EntryListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EntryListener").finish_non_exhaustive()
    }
}
