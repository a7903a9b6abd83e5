//! What a host may implement: its clock, its observer, its user store, its own claims. Every trait has a default that
//! needs nothing.

mod claims;
mod clock;
mod directory;
mod observer;

pub use futures_util::future::BoxFuture;

pub use claims::{ClaimSource, NoClaims, OwnClaims};
pub use clock::{Clock, SystemClock};
pub use directory::{Directory, DirectoryUser};
pub use observer::{LogObserver, Observer};

/// The host's own store did not answer; who asked is told to try again.
#[derive(Debug, thiserror::Error)]
#[error("the host application did not answer: {0}")]
pub struct Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>);

impl Unavailable {
    /// Tells why; it goes into the log.
    pub fn new(reason: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(reason.into())
    }
}
