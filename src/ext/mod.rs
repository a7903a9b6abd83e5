//! What a host may implement: its clock, its observer, its user store, its own claims, how mail and text
//! messages are sent. Every trait but the last two has a default that needs nothing.

mod claims;
mod clock;
mod directory;
mod mailer;
mod observer;
mod sms;

pub use futures_util::future::BoxFuture;

pub use claims::{ClaimSource, NoClaims, OwnClaims};
pub use clock::{Clock, SystemClock};
pub use directory::{Directory, DirectoryUser};
pub use mailer::{Mailer, OutgoingMail};
pub use observer::{LogObserver, Observer};
pub use sms::{OutgoingSms, SmsSender};

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

/// A message was not handed over.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeliveryError {
    /// It may be at another time: it is tried again. The reason is for administrators and holds nothing confidential.
    #[error("not delivered, to be tried again: {0}")]
    Later(String),
    /// It never will be.
    #[error("not delivered: {0}")]
    Never(String),
}
