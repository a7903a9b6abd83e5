//! An in-memory sender that keeps messages instead of sending them, for tests and the demo.

use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::BoxFuture;

use crate::domain::message::Channel;
use crate::ext::{DeliveryError, Mailer, OutgoingMail, OutgoingSms, SmsSender};

/// Maximum number of messages kept; the oldest is dropped.
const KEPT: usize = 200;

/// A mailbox in memory; clones share it. It implements both `Mailer` and `SmsSender`.
#[derive(Clone, Debug, Default)]
pub struct Mailbox(Arc<Mutex<Vec<Sent>>>);

/// A sent message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// The channel it was sent through.
    pub channel: Channel,
    /// The mail address or telephone number.
    pub to: String,
    /// The subject of a mail.
    pub subject: Option<String>,
    /// The plain text.
    pub text: String,
    /// The HTML part of a mail.
    pub html: Option<String>,
}

impl Sent {
    /// The code in the message: six or more digits alone on a line, or after the `#` of a text message.
    pub fn code(&self) -> Option<&str> {
        self.text.lines().rev().find_map(|line| {
            let word = line.split_whitespace().next_back()?;
            let digits = word.strip_prefix('#').unwrap_or(word);
            let alone = word != digits || line.trim() == word;
            (alone && digits.len() >= 6 && digits.bytes().all(|b| b.is_ascii_digit())).then_some(digits)
        })
    }

    /// The link in the message.
    pub fn link(&self) -> Option<&str> {
        self.text.lines().find(|line| line.starts_with("https://") || line.starts_with("http://"))
    }
}

impl Mailbox {
    /// All messages so far, the oldest first.
    pub fn all(&self) -> Vec<Sent> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn keep(&self, sent: Sent) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() == KEPT {
            all.remove(0);
        }
        all.push(sent);
    }
}

impl Mailer for Mailbox {
    fn send<'a>(&'a self, mail: &'a OutgoingMail) -> BoxFuture<'a, Result<(), DeliveryError>> {
        self.keep(Sent {
            channel: Channel::Mail,
            to: mail.to.to_string(),
            subject: Some(mail.subject.clone()),
            text: mail.text.clone(),
            html: Some(mail.html.clone()),
        });
        Box::pin(async { Ok(()) })
    }
}

impl SmsSender for Mailbox {
    fn send<'a>(&'a self, sms: &'a OutgoingSms) -> BoxFuture<'a, Result<(), DeliveryError>> {
        let (to, text) = (sms.to.to_string(), sms.text.clone());
        self.keep(Sent { channel: Channel::Sms, to, subject: None, text, html: None });
        Box::pin(async { Ok(()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(text: &str) -> Sent {
        Sent { channel: Channel::Sms, to: String::new(), subject: None, text: text.to_owned(), html: None }
    }

    #[test]
    fn finds_code_and_link() {
        assert_eq!(sent("123456 is your code.\n\n@id.test #123456").code(), Some("123456"));
        assert_eq!(
            sent("Your code:\n\n    493817\n\nIt is valid\n-- \nWorks 2026000").code(),
            Some("493817")
        );
        assert_eq!(sent("in the year 2026000 or so\n12345").code(), None);
        assert_eq!(sent("Here:\n\nhttps://id.test/x?y=1\n\nor").link(), Some("https://id.test/x?y=1"));
        assert_eq!(sent("no link").link(), None);
    }
}
