//! Keeps events from the observer until it is opened: the document of a test is no part of what the test observes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::domain::event::Event;
use crate::ext::Observer;

/// Closed at first; clones are opened together.
#[derive(Clone, Default)]
pub(super) struct EventGate(Arc<AtomicBool>);

impl EventGate {
    /// Lets events through from now on.
    pub(super) fn open(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Puts the gate before an observer.
    pub(super) fn before(&self, observer: Arc<dyn Observer>) -> Arc<dyn Observer> {
        Arc::new(GatedObserver { gate: self.clone(), observer })
    }
}

struct GatedObserver {
    gate: EventGate,
    observer: Arc<dyn Observer>,
}

impl Observer for GatedObserver {
    fn observe(&self, event: &Event) {
        if self.gate.0.load(Ordering::Acquire) {
            self.observer.observe(event);
        }
    }
}
