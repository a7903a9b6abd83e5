//! Sending mail: the host's own way, or one of the house's.

use futures_util::future::BoxFuture;

use super::DeliveryError;
use crate::domain::contact::EmailAddress;
use crate::domain::ids::MessageId;

/// A mail, put into words.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OutgoingMail {
    /// The same at every try: good for a `Message-ID`, by which the receiving side may know a second copy.
    pub id: MessageId,
    /// To whom.
    pub to: EmailAddress,
    /// The name the sender goes by: the tenant's. One line, without control characters; the address is the mailer's own.
    pub from_name: String,
    /// One line, without control characters.
    pub subject: String,
    /// The language, as a BCP 47 tag.
    pub language: &'static str,
    /// The mail as plain text.
    pub text: String,
    /// The same as HTML; loads nothing.
    pub html: String,
}

/// Sends mail.
///
/// It is called in the background, several times at once, and not again before it answers. An answer that takes longer
/// than a minute counts as [`DeliveryError::Later`].
pub trait Mailer: Send + Sync + 'static {
    /// Hands a mail over to whoever brings it. `Ok` means that they have taken it on.
    fn send<'a>(&'a self, mail: &'a OutgoingMail) -> BoxFuture<'a, Result<(), DeliveryError>>;
}
