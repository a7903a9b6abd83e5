//! Messages to users, and their delivery state.
//!
//! A message is stored as data and rendered when it is sent, in the user's language and under the tenant's name. Each
//! has an expiry, after which it is not sent: an expired code is useless.

use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::contact::{EmailAddress, PhoneNumber};
use super::ids::{TenantId, UserId};
use super::locale::Locale;
use super::time::Time;
use super::zone::Zone;

/// A message to one user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The tenant whose name and colour it shows.
    pub tenant: TenantId,
    /// The recipient.
    pub user: UserId,
    /// The time after which it is not sent: the expiry of the code or link in it.
    pub expires_at: Time,
    /// The content, sealed until it is sent.
    pub letter: MessageContent,
}

/// The confidential content of a message: text data, language and address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageContent {
    /// The language.
    pub locale: Locale,
    /// The account name, for people with several accounts.
    pub account: String,
    /// The address and the data of the text.
    pub content: Content,
}

/// The address and the data of the text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Content {
    /// By mail.
    Mail {
        /// The address.
        to: EmailAddress,
        /// The data of the text.
        mail: MailContent,
    },
    /// By text message.
    Sms {
        /// The number.
        to: PhoneNumber,
        /// The data of the text.
        code: DeliveredCode,
        /// The host name of the page that asks for the code, for `@host #code`, by which browsers fill it in only
        /// there.
        host: String,
    },
}

impl Content {
    /// The channel it is sent through.
    pub const fn channel(&self) -> Channel {
        match self {
            Self::Mail { .. } => Channel::Mail,
            Self::Sms { .. } => Channel::Sms,
        }
    }

    /// The kind of message.
    pub const fn kind(&self) -> MessageKind {
        match self {
            Self::Mail { mail: MailContent::Code(code), .. } | Self::Sms { code, .. } => {
                MessageKind::of(code.purpose)
            }
            Self::Mail { mail: MailContent::Reset(_), .. } => MessageKind::Reset,
            Self::Mail { mail: MailContent::Activation(_), .. } => MessageKind::Activation,
            Self::Mail { mail: MailContent::Notice { .. }, .. } => MessageKind::Notice,
        }
    }

    /// The address, masked for display.
    pub fn masked(&self) -> String {
        match self {
            Self::Mail { to, .. } => to.masked(),
            Self::Sms { to, .. } => to.masked(),
        }
    }
}

/// The data of a mail's text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MailContent {
    /// A code to type in.
    Code(DeliveredCode),
    /// A link to choose a new password.
    Reset(MessageLink),
    /// A link to begin using the account, or its second factor.
    Activation(MessageLink),
    /// A security notice.
    Notice {
        /// The event.
        event: AccountNotice,
        /// The time of the event.
        at: Time,
        /// The reader's time zone.
        #[serde(default)]
        zone: Zone,
    },
}

/// A code and its purpose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveredCode {
    /// The purpose.
    pub purpose: CodePurpose,
    /// The code.
    pub code: Confidential,
    /// Its lifetime in minutes.
    pub minutes: u32,
}

/// The purpose of a delivered code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CodePurpose {
    /// To sign in.
    SignIn,
    /// To verify that the address or number belongs to the user.
    Address,
}

impl CodePurpose {
    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SignIn => "sign_in",
            Self::Address => "address",
        }
    }
}

/// A link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageLink {
    /// The URL.
    pub address: Confidential,
    /// Its lifetime in minutes.
    pub minutes: u32,
}

/// An event of an account that its user is notified of. Notices contain no link: a user who did not cause the event
/// contacts an administrator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AccountNotice {
    /// The password was changed.
    PasswordChanged,
    /// A second factor was enrolled.
    SecondFactorEnrolled,
    /// A second factor was removed.
    SecondFactorRemoved,
    /// An administrator has reset the second factor.
    SecondFactorReset,
    /// A recovery code was used.
    RecoveryCodeUsed,
    /// The email address or telephone number was changed; the notice goes to the old address.
    AddressChanged,
    /// From now on the account signs in at an upstream provider.
    AccountLinked {
        /// The title of that provider.
        upstream: String,
    },
    /// A sign-in in an unknown browser.
    NewBrowser {
        /// The browser's label, if known: `Firefox, Linux`.
        browser: Option<String>,
    },
}

/// A delivery channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    /// By mail.
    Mail,
    /// By text message.
    Sms,
}

impl Channel {
    /// All channels.
    pub const ALL: [Self; 2] = [Self::Mail, Self::Sms];

    /// The name used in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mail => "mail",
            Self::Sms => "sms",
        }
    }
}

/// The kind of a message: the only part of its content that is stored unsealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageKind {
    /// A code to sign in.
    SignInCode,
    /// A code that verifies an address or number.
    AddressCode,
    /// A link to choose a new password.
    Reset,
    /// A link to activate an account or second factor.
    Activation,
    /// A security notice.
    Notice,
}

impl MessageKind {
    const fn of(purpose: CodePurpose) -> Self {
        match purpose {
            CodePurpose::SignIn => Self::SignInCode,
            CodePurpose::Address => Self::AddressCode,
        }
    }
}

/// The delivery state of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// Queued, for the first try or a retry.
    Waiting,
    /// Being sent by a node.
    Sending,
    /// Accepted by the mail server or gateway.
    Sent,
    /// Given up, with a reason for administrators.
    Failed(String),
}

/// A code or link: wiped when dropped, never printed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(transparent)]
pub struct Confidential(String);

impl Confidential {
    /// Wraps a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for sending.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Confidential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Confidential(..)")
    }
}
