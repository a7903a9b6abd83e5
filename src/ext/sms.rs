//! Sending text messages.

use futures_util::future::BoxFuture;

use super::DeliveryError;
use crate::domain::contact::PhoneNumber;
use crate::domain::ids::MessageId;

/// A complete text message.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OutgoingSms {
    /// The same for every try.
    pub id: MessageId,
    /// The recipient.
    pub to: PhoneNumber,
    /// The text. A message with a code ends with `@host #code`.
    pub text: String,
}

/// Sends text messages, under the same rules as [`Mailer`](super::Mailer).
pub trait SmsSender: Send + Sync + 'static {
    /// Passes a text on. `Ok` means that responsibility for the delivery was accepted.
    fn send<'a>(&'a self, sms: &'a OutgoingSms) -> BoxFuture<'a, Result<(), DeliveryError>>;
}
