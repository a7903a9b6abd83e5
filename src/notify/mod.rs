//! Ways to send what was put into words: a mail server, a gateway for text messages, and a mailbox in memory for tests and
//! for looking.

mod gateway;
mod mailbox;
mod smtp;

pub use gateway::{Gateway, GatewayError, GatewaySettings, NumberFormat};
pub use mailbox::{Mailbox, Sent};
pub use smtp::{Smtp, SmtpError};
