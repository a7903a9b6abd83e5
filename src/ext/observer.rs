//! The observer of security events: called once per event.

use crate::domain::event::Event;

/// Receives security events. It is called while a request waits, so slow work belongs in a queue.
pub trait Observer: Send + Sync + 'static {
    /// Receives one event.
    fn observe(&self, event: &Event);
}

/// Writes events to the log, target `vestibule::events`.
#[derive(Clone, Copy, Debug, Default)]
pub struct LogObserver;

impl Observer for LogObserver {
    fn observe(&self, event: &Event) {
        match event {
            Event::CodeReused { .. } | Event::RefreshTokenReused { .. } | Event::MessageFailed { .. } => {
                tracing::warn!(target: "vestibule::events", ?event);
            }
            // The command prints these changes, and the audit trail keeps them.
            Event::Managed { .. } => tracing::debug!(target: "vestibule::events", ?event),
            _ => tracing::info!(target: "vestibule::events", ?event),
        }
    }
}
