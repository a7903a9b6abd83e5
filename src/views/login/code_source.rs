//! The source of the code that a page asks for: an application, a device, or a message.

use crate::domain::message::Channel;
use crate::domain::time::Time;
use crate::i18n::{Texts, machine};
use crate::views::samples;

/// The source of a code.
pub enum CodeSource {
    /// An authenticator application shows it.
    Application,
    /// A device that an administrator has handed out shows it.
    Device,
    /// It was sent.
    Sent(SentCode),
}

impl CodeSource {
    /// The hint for a code of so many digits.
    pub(in crate::views) fn hint(&self, l: &Texts, digits: u32) -> String {
        match self {
            Self::Application => l.with("code.hint", &[("n", &digits.to_string())]),
            Self::Device => l.with("code.hint_device", &[("n", &digits.to_string())]),
            Self::Sent(_) => l.t("code.hint_sent").to_owned(),
        }
    }
}

/// A code that was sent, or should have been; what went wrong is among the form's problems.
pub struct SentCode {
    /// The channel.
    pub channel: Channel,
    /// The destination, as far as a page may show it.
    pub destination: String,
    /// Whether it is on its way.
    pub is_out: bool,
    /// The time from which another can be requested.
    pub again_at: Time,
    /// The current time.
    pub now: Time,
}

/// A longer wait is shown by its end alone.
const SECONDS_TOLD: i64 = 120;

impl SentCode {
    /// The key of the text that says what happened.
    pub(in crate::views) const fn lead(&self) -> &'static str {
        match (self.is_out, self.channel) {
            (true, Channel::Sms) => "sent.sms",
            (true, Channel::Mail) => "sent.mail",
            (false, _) => "sent.none",
        }
    }

    /// The seconds until another can be requested.
    pub(in crate::views) fn seconds(&self) -> i64 {
        self.again_at.since(self.now)
    }

    /// The text for the wait; `None` if it is over.
    pub(in crate::views) fn wait(&self, l: &Texts) -> Option<String> {
        let seconds = self.seconds();
        let words = if seconds > SECONDS_TOLD {
            l.t("sent.later").to_owned()
        } else {
            l.with("sent.wait", &[("n", &seconds.to_string())])
        };
        Some(words).filter(|_| seconds > 0)
    }

    /// The value of `<time datetime>`.
    pub(in crate::views) fn machine_time(&self) -> String {
        machine(self.again_at)
    }

    /// A sample with so many seconds to wait.
    pub(super) fn sample(channel: Channel, is_out: bool, wait: i64) -> Self {
        let destination = match channel {
            Channel::Sms => "+49 •••78",
            Channel::Mail => "a•••@example.test",
        };
        let now = samples::NOW;
        let again_at = Time::from_unix(now.unix() + wait);
        Self { channel, destination: destination.to_owned(), is_out, again_at, now }
    }
}
