//! Sending text messages: the host's own way, or the house's HTTP gateway.

use futures_util::future::BoxFuture;

use super::DeliveryError;
use crate::domain::contact::PhoneNumber;
use crate::domain::ids::MessageId;

/// A text message, put into words.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OutgoingSms {
    /// The same at every try.
    pub id: MessageId,
    /// To whom.
    pub to: PhoneNumber,
    /// The text. It ends with `@host #code`.
    pub text: String,
}

/// Sends text messages, under the same rules as [`Mailer`](super::Mailer).
pub trait SmsSender: Send + Sync + 'static {
    /// Hands a text over to whoever brings it. `Ok` means that they have taken it on.
    fn send<'a>(&'a self, sms: &'a OutgoingSms) -> BoxFuture<'a, Result<(), DeliveryError>>;
}
