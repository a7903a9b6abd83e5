//! Senders of messages: a mail server, an HTTP gateway for text messages, and a mailbox in memory for tests and the
//! demo.

mod gateway;
mod mailbox;
mod smtp;

pub use gateway::{Gateway, GatewayError, GatewaySettings, NumberFormat};
pub use mailbox::{Mailbox, Sent};
pub use smtp::{Smtp, SmtpError};
