//! The pages of codes that are sent: where they go, and the code itself.

use unicode_normalization::UnicodeNormalization;

use super::form::Form;
use super::steps::Duty;
use crate::domain::contact::Country;
use crate::domain::message::Channel;
use crate::domain::time::Time;
use crate::i18n::{Texts, machine};

/// The number of a telephone that gets codes. Posts `country` and `phone_number`, or `another` to choose another way.
pub struct PhoneView {
    /// The form.
    pub form: Form,
    /// Why.
    pub duty: Duty,
    /// The countries that texts go to.
    pub countries: Vec<Country>,
    /// The one that is chosen.
    pub country: Option<Country>,
    /// What stands in the field.
    pub number: String,
    /// Is there another way to choose?
    pub others: bool,
}

impl PhoneView {
    /// The countries by their names: the two letters, the name, what is dialled, and whether it is the one chosen.
    pub(super) fn choices(&self, l: &Texts) -> Vec<(String, String, String, bool)> {
        let choice = |country: &Country| {
            let chosen = self.country.as_ref() == Some(country);
            (country.to_string(), l.country(country.as_str()).to_owned(), country.dialled(), chosen)
        };
        let mut all: Vec<_> = self.countries.iter().map(choice).collect();
        // É stands where E stands.
        all.sort_by_cached_key(|(_, name, ..)| {
            name.nfd().filter(char::is_ascii).collect::<String>().to_ascii_lowercase()
        });
        all
    }
}

/// The mailbox that gets codes. Posts `email`, or `another` to choose another way.
pub struct EmailView {
    /// The form.
    pub form: Form,
    /// Why.
    pub duty: Duty,
    /// What stands in the field.
    pub address: String,
    /// Is there another way to choose?
    pub others: bool,
}

/// The first code that was sent there. Posts `code`; or `resend`, `change` to give another destination, `another` to choose
/// another way.
pub struct ConfirmCodeView {
    /// The form.
    pub form: Form,
    /// Why.
    pub duty: Duty,
    /// The code.
    pub sent: SentCode,
    /// Is there another way to choose?
    pub others: bool,
}

impl ConfirmCodeView {
    /// The key of the offer to give another destination.
    pub(super) const fn change(&self) -> &'static str {
        match self.sent.channel {
            Channel::Sms => "confirm_code.change_number",
            Channel::Mail => "confirm_code.change_address",
        }
    }
}

/// Where the code comes from that a page asks for.
pub enum CodeSource {
    /// An authenticator application shows it.
    Application,
    /// A device that an administrator has handed out shows it.
    Device,
    /// It was sent.
    Sent(SentCode),
}

impl CodeSource {
    /// What to know about a code of so many digits.
    pub(super) fn hint(&self, l: &Texts, digits: u32) -> String {
        match self {
            Self::Application => l.with("code.hint", &[("n", &digits.to_string())]),
            Self::Device => l.with("code.hint_device", &[("n", &digits.to_string())]),
            Self::Sent(_) => l.t("code.hint_sent").to_owned(),
        }
    }
}

/// Two codes of a device that has run away, one after the other. Posts `code` and `next_code`.
pub struct ResyncView {
    /// The form.
    pub form: Form,
    /// The way back to the code.
    pub second_factor: String,
}

/// A code that was sent, or should have been; what went wrong stands among the form's problems.
pub struct SentCode {
    /// How.
    pub channel: Channel,
    /// Where to, as far as a page may say.
    pub destination: String,
    /// Is it on its way?
    pub is_out: bool,
    /// When another can be asked for.
    pub again_at: Time,
    /// Now.
    pub now: Time,
}

/// A longer wait is told by its end alone.
const SECONDS_TOLD: i64 = 120;

impl SentCode {
    /// The key of what happened.
    pub(super) const fn lead(&self) -> &'static str {
        match (self.is_out, self.channel) {
            (true, Channel::Sms) => "sent.sms",
            (true, Channel::Mail) => "sent.mail",
            (false, _) => "sent.none",
        }
    }

    /// The seconds until another can be asked for.
    pub(super) fn seconds(&self) -> i64 {
        self.again_at.since(self.now)
    }

    /// The wait in words; `None`: it is over.
    pub(super) fn wait(&self, l: &Texts) -> Option<String> {
        let seconds = self.seconds();
        let words = if seconds > SECONDS_TOLD {
            l.t("sent.later").to_owned()
        } else {
            l.with("sent.wait", &[("n", &seconds.to_string())])
        };
        Some(words).filter(|_| seconds > 0)
    }

    /// For `<time datetime>`.
    pub(super) fn machine_time(&self) -> String {
        machine(self.again_at)
    }
}
