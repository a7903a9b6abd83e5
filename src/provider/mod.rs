//! The running provider: one shared handle, with its signing keys, caches, metrics and limits.

mod client_keys;
mod documents;
mod failure;
mod key_use;
mod keyring;
mod limiter;
mod limits;
mod management;
mod messages;
mod metrics;
mod pairwise;
mod progress;
mod rotation;
mod state;

pub(crate) use client_keys::{ClientKeysError, PublishedKeys};
pub(crate) use documents::{Document, Documents};
pub(crate) use failure::Internal;
pub(crate) use keyring::Keyring;
pub(crate) use limits::Limits;
pub use messages::SendFailed;
pub(crate) use metrics::{InFlight, RequestMetrics};
pub use metrics::{Metrics, ResponseCount};
pub(crate) use progress::Lanes;
pub use rotation::{KeyStatus, KeysFailed, Rotated, Rotation};
pub use state::Idp;
pub(crate) use state::Parts;

pub use crate::crypto::password::HashLoad;
