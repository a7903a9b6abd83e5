//! Sending mail.

use futures_util::future::BoxFuture;

use super::DeliveryError;
use crate::domain::contact::EmailAddress;
use crate::domain::ids::MessageId;

/// A complete mail.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OutgoingMail {
    /// The same for every try; suitable as `Message-ID`, by which the receiving side can detect a duplicate.
    pub id: MessageId,
    /// The recipient.
    pub to: EmailAddress,
    /// The display name of the sender: the tenant's. One line without control characters; the mailer sets the address.
    pub from_name: String,
    /// One line, without control characters.
    pub subject: String,
    /// The language, as a BCP 47 tag.
    pub language: &'static str,
    /// The mail as plain text.
    pub text: String,
    /// The same content as HTML, without external resources.
    pub html: String,
}

/// Sends mail.
///
/// Called in the background, for several mails concurrently, and for one mail never again before it has returned. A
/// call that takes longer than a minute counts as [`DeliveryError::Transient`].
pub trait Mailer: Send + Sync + 'static {
    /// Passes a mail on. `Ok` means that responsibility for the delivery was accepted.
    fn send<'a>(&'a self, mail: &'a OutgoingMail) -> BoxFuture<'a, Result<(), DeliveryError>>;
}
