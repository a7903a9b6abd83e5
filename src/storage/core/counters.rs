//! Totals of this process: statements, writes, and what others wait for.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::watch;

use super::listener::EntryListener;
use super::tx::TxState;

/// Totals over all transactions.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) statements: AtomicU64,
    pub(super) writes: AtomicU64,
    pub(super) catalogue_changes: AtomicU64,
    pub(super) messages: watch::Sender<()>,
    pub(super) listener: EntryListener,
}

impl Counters {
    /// Adds what a transaction did; called once its outcome is certain.
    pub(super) fn add(&self, notes: &TxState, committed: bool) {
        self.statements.fetch_add(notes.statements, Ordering::Relaxed);
        if committed && notes.catalogue_changed {
            self.catalogue_changes.fetch_add(1, Ordering::Release);
        }
        if committed && notes.message {
            self.messages.send_replace(());
        }
        if committed {
            notes.entries.iter().for_each(|(entry, span)| span.in_scope(|| self.listener.tell(entry)));
        }
    }
}
