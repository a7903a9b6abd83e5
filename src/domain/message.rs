//! What can be sent to a user, and where it stands on its way.
//!
//! A message is kept as what it says, not as its words: it is put into words when it is sent, in the user's language
//! and under the tenant's name. Each has an end of its use, after which it is never sent: nobody is helped by a code
//! that has expired.

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
    /// Whose name and colour it carries.
    pub tenant: TenantId,
    /// To whom.
    pub user: UserId,
    /// From then on it is not sent any more: when the code or link in it expires.
    pub expires_at: Time,
    /// What is sealed until it is sent.
    pub letter: MessageContent,
}

/// What a message says, in which language, and where it goes: everything of it that others must not read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageContent {
    /// The language.
    pub locale: Locale,
    /// The name of the account, for people who have several.
    pub account: String,
    /// Where it goes, and what it says.
    pub content: Content,
}

/// Where a message goes, and what it says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Content {
    /// By mail.
    Mail {
        /// The address.
        to: EmailAddress,
        /// What it says.
        mail: Mail,
    },
    /// By text message.
    Sms {
        /// The number.
        to: PhoneNumber,
        /// What it says.
        code: Code,
        /// The host name of the page that asks for the code, for `@host #code`, by which browsers fill it in there only.
        host: String,
    },
}

impl Content {
    /// The way it goes.
    pub const fn channel(&self) -> Channel {
        match self {
            Self::Mail { .. } => Channel::Mail,
            Self::Sms { .. } => Channel::Sms,
        }
    }

    /// What it is about.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Mail { mail: Mail::Code(code), .. } | Self::Sms { code, .. } => Kind::of(code.purpose),
            Self::Mail { mail: Mail::Reset(_), .. } => Kind::Reset,
            Self::Mail { mail: Mail::Activation(_), .. } => Kind::Activation,
            Self::Mail { mail: Mail::Notice { .. }, .. } => Kind::Notice,
        }
    }

    /// Where it goes, as far as others may see it.
    pub fn masked(&self) -> String {
        match self {
            Self::Mail { to, .. } => to.masked(),
            Self::Sms { to, .. } => to.masked(),
        }
    }
}

/// What a mail says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mail {
    /// A code to type in.
    Code(Code),
    /// A link to choose a new password.
    Reset(Link),
    /// A link to begin using the account, or its second factor.
    Activation(Link),
    /// Something has happened to the account.
    Notice {
        /// What.
        event: Notice,
        /// When.
        at: Time,
        /// Where its reader is, in whose time it is told.
        #[serde(default)]
        zone: Zone,
    },
}

/// A code, and what it is good for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Code {
    /// What it is good for.
    pub purpose: Purpose,
    /// The code.
    pub code: Confidential,
    /// For how many minutes after it was asked for.
    pub minutes: u32,
}

/// What a code is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// To sign in.
    SignIn,
    /// To show that the address or number is the user's own.
    Address,
}

impl Purpose {
    /// The word in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SignIn => "sign_in",
            Self::Address => "address",
        }
    }
}

/// A link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// The whole address.
    pub address: Confidential,
    /// For how many minutes after it was asked for.
    pub minutes: u32,
}

/// What has happened to an account. These have no link: who did not do it turns to an administrator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Notice {
    /// The password was changed.
    PasswordChanged,
    /// A second factor was enrolled.
    SecondFactorEnrolled,
    /// A second factor was removed.
    SecondFactorRemoved,
    /// An administrator has reset the enrolment.
    SecondFactorReset,
    /// A recovery code was used.
    RecoveryCodeUsed,
    /// The email address or telephone number was changed; goes to the old address.
    AddressChanged,
    /// The account is entered at an upstream provider from now on.
    AccountLinked {
        /// What people call that provider.
        upstream: String,
    },
    /// Somebody signed in in a browser that was not known.
    NewBrowser {
        /// What the browser calls itself, as far as that is known: `Firefox, Linux`.
        browser: Option<String>,
    },
}

/// The way a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    /// By mail.
    Mail,
    /// By text message.
    Sms,
}

impl Channel {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Mail, Self::Sms];

    /// Its name where it is counted.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mail => "mail",
            Self::Sms => "sms",
        }
    }
}

/// What a message is about: all that is readable of it in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A code to sign in.
    SignInCode,
    /// A code that shows whose an address or number is.
    AddressCode,
    /// A link to choose a new password.
    Reset,
    /// A link to begin.
    Activation,
    /// Something has happened.
    Notice,
}

impl Kind {
    const fn of(purpose: Purpose) -> Self {
        match purpose {
            Purpose::SignIn => Self::SignInCode,
            Purpose::Address => Self::AddressCode,
        }
    }
}

/// Where a message stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// It will be sent: now, or again after a failure.
    Waiting,
    /// A node is at it.
    Sending,
    /// The mail server or the gateway has taken it.
    Sent,
    /// It was given up, for this reason. Its text is for administrators.
    Failed(String),
}

/// A code or a link: wiped when dropped, never printed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(transparent)]
pub struct Confidential(String);

impl Confidential {
    /// Wraps it.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, to be sent.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Confidential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Confidential(..)")
    }
}
