//! Ways to send what was put into words: a mail server, and a mailbox in memory for tests and for looking.

mod mailbox;
mod smtp;

pub use mailbox::{Mailbox, Sent};
pub use smtp::{Smtp, SmtpError};
