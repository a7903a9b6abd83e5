//! A user: a member of exactly one tenant, with name, roles and profile.

use serde::{Deserialize, Serialize};

use super::claims::Profile;
use super::contact::EmailAddress;
use super::epoch::Epoch;
use super::ids::{DirectoryKey, TenantId, UserId};
use super::locale::Locale;
use super::time::Time;
use super::upstream::UpstreamAccount;
pub use super::username::{Username, UsernameError};
use super::zone::Zone;

/// One user.
#[derive(Clone, Debug, PartialEq)]
pub struct User {
    /// The value of `sub`.
    pub id: UserId,
    /// The tenant.
    pub tenant: TenantId,
    /// The name for signing in.
    pub username: Username,
    /// A disabled user cannot sign in, and everything issued to the user stops working.
    pub disabled: bool,
    /// Raised by every event that ends what was issued to the user (see [`super::epoch`]); only the store changes it.
    pub epoch: Epoch,
    /// The user's roles in the tenant.
    pub roles: Vec<Role>,
    /// The standard claims.
    pub profile: Profile,
    /// The time of the last change of the profile: the claim `updated_at`.
    pub updated_at: Time,
    /// The name or address of the user's office computer.
    pub personal_desktop: Option<ComputerName>,
    /// The key of the user in the host's own directory; `None` = the provider's own user.
    pub directory: Option<DirectoryKey>,
    /// The upstream account by which the user signs in; `None` = a local sign-in.
    pub upstream: Option<UpstreamAccount>,
}

impl User {
    /// Returns whether the user is an administrator, who has the second-factor duty.
    pub fn is_admin(&self) -> bool {
        self.roles.contains(&Role::Admin)
    }

    /// The user's email address, if it is valid.
    pub fn address(&self) -> Option<EmailAddress> {
        self.profile.email.as_deref().and_then(|address| EmailAddress::parse(address).ok())
    }

    /// The user's language, if there is a catalogue for it.
    pub fn locale(&self) -> Option<Locale> {
        self.profile.locale.as_deref().and_then(Locale::from_tag)
    }

    /// The user's time zone, if its name is known.
    pub fn zone(&self) -> Option<Zone> {
        self.profile.zoneinfo.as_deref().and_then(|name| Zone::parse(name).ok())
    }
}

/// A role of a user in the tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Administers the tenant, and therefore needs a second factor.
    Admin,
}

/// The name or address of an office computer: a host name of up to 253 characters, or an IP address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, sqlx::Type)]
#[serde(try_from = "String", into = "String")]
#[sqlx(transparent)]
pub struct ComputerName(String);

/// The text is not the name of a computer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be the name of a computer, such as pc-anna, or its IP address")]
pub struct ComputerNameError;

impl ComputerName {
    const MAX: usize = 253;

    /// Validates a name: labels as in RFC 1123 §2.1, or an IP address.
    pub fn parse(text: &str) -> Result<Self, ComputerNameError> {
        let name = text.trim();
        let label = |label: &str| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        // Digits and dots alone must be an address (RFC 1123 §2.1).
        let numeric = name.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        let host = !numeric && name.len() <= Self::MAX && name.split('.').all(label);
        let shaped = host || name.parse::<std::net::IpAddr>().is_ok();
        if shaped { Ok(Self(name.to_owned())) } else { Err(ComputerNameError) }
    }

    /// The name as typed.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ComputerName {
    type Error = ComputerNameError;

    fn try_from(text: String) -> Result<Self, ComputerNameError> {
        Self::parse(&text)
    }
}

impl From<ComputerName> for String {
    fn from(name: ComputerName) -> Self {
        name.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_computer_has_a_host_name_or_an_address() {
        for text in
            ["pc-anna", " PC7.office.example ", "192.0.2.7", "2001:db8::7", "7eleven", &"a.".repeat(126), "x"]
        {
            let text = text.strip_suffix('.').unwrap_or(text);
            assert_eq!(ComputerName::parse(text).unwrap().as_str(), text.trim());
        }
        let long = format!("{}a", "a.".repeat(127));
        for text in [
            "",
            "-pc",
            "pc-",
            "a b",
            "a..b",
            "a_b",
            "1.2.3",
            "300.1.1.1",
            "ä",
            "pc\0",
            "<b>",
            &"a".repeat(64),
            &long,
        ] {
            assert!(ComputerName::parse(text).is_err(), "{text:?}");
        }
    }
}
