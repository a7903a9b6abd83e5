//! Traits that a host can implement: clock, observer, user directory, own claims, and senders of mail and text
//! messages. Every trait but the senders has a default implementation.

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

/// The host's implementation failed or timed out; the caller is asked to try again.
#[derive(Debug, thiserror::Error)]
#[error("the host application did not answer: {0}")]
pub struct Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>);

impl Unavailable {
    /// Wraps the reason, which is logged.
    pub fn new(reason: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(reason.into())
    }
}

/// A message could not be delivered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeliveryError {
    /// A transient failure: it is retried. The reason is for administrators and contains nothing confidential.
    #[error("not delivered, will be retried: {0}")]
    Transient(String),
    /// A permanent failure.
    #[error("not delivered: {0}")]
    Permanent(String),
}
