//! The observer: the house tells it what happened, once per event.

use crate::domain::event::Event;

/// Is told of security events. It is called while a request waits: hand slow work to a queue.
pub trait Observer: Send + Sync + 'static {
    /// Takes note of one event.
    fn observe(&self, event: &Event);
}

/// Writes events to the log, target `vestibule::events`.
#[derive(Clone, Copy, Debug, Default)]
pub struct LogObserver;

impl Observer for LogObserver {
    fn observe(&self, event: &Event) {
        if matches!(
            event,
            Event::CodeReused { .. } | Event::RefreshTokenReused { .. } | Event::MessageFailed { .. }
        ) {
            tracing::warn!(target: "vestibule::events", ?event);
        } else {
            tracing::info!(target: "vestibule::events", ?event);
        }
    }
}
