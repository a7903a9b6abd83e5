//! The running provider: one shared handle, with its signing keys, caches, metrics and limits.

mod client_keys;
mod documents;
mod failure;
mod key_use;
mod keyring;
mod lanes;
mod limiter;
mod limits;
mod management;
mod messages;
mod metrics;
mod pairwise;
mod progress;
mod published_keys;
mod rotation;
mod signing_keys;
mod state;

pub(crate) use documents::{Document, Documents};
pub(crate) use failure::Internal;
pub(crate) use keyring::Keyring;
pub(crate) use lanes::Lanes;
pub(crate) use limits::RateLimits;
pub use messages::SendFailed;
pub(crate) use metrics::{InFlight, RequestMetrics};
pub use metrics::{Metrics, ResponseCount};
pub(crate) use published_keys::{ClientKeysError, PublishedKeys};
pub use rotation::{KeyStatus, KeysFailed, Rotated, Rotation};
pub use state::Idp;
pub(crate) use state::ProviderParts;

pub use crate::crypto::password::HashLoad;
