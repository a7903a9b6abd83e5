//! Authenticators: the things users have that make or receive codes. (Never called tokens: those are OAuth's.)
//!
//! One row of any kind. What a kind needs stands in [`Kind`]; what all share (state, name, PIN, the moving factor that
//! makes a code count once) stands beside it. Passkeys are no authenticators in this sense: a user has many of them and
//! they prove themselves by signatures, so they have a table of their own.

use serde::{Deserialize, Serialize};

use super::contact::{EmailAddress, PhoneNumber};
use super::ids::{AuthenticatorId, UserId};
use super::message::Channel;
use super::time::Time;

/// A way to prove a second factor that users may enrol, by the word that forms and settings use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// An authenticator application (RFC 6238).
    Totp,
    /// Codes by SMS.
    Sms,
    /// Codes by mail.
    Mail,
    /// A passkey (Web Authentication).
    Passkey,
}

impl Method {
    /// The word in forms and settings.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Totp => "totp",
            Self::Sms => "sms",
            Self::Mail => "mail",
            Self::Passkey => "passkey",
        }
    }

    /// What it is worth as a second factor.
    pub const fn worth(self) -> FactorStrength {
        match self {
            Self::Totp => FactorStrength::Device,
            Self::Passkey => FactorStrength::PhishingResistant,
            Self::Sms => FactorStrength::Sms,
            Self::Mail => FactorStrength::Mail,
        }
    }
}

/// What a second factor is worth (functional specification 3.4), least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FactorStrength {
    /// A code by mail. It satisfies a tenant's rule, but counts as a second factor only where the tenant says so.
    Mail,
    /// A code by SMS. Two factors, but never the administrators' duty.
    Sms,
    /// A device that the user holds.
    Device,
    /// A passkey: what it proves cannot be passed on to another site.
    PhishingResistant,
}

/// One authenticator of one user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authenticator {
    /// Its row.
    pub id: AuthenticatorId,
    /// Whose it is.
    pub user: UserId,
    /// What it is, with what that kind needs.
    pub kind: Kind,
    /// What is printed on a hardware authenticator; applications and destinations have none.
    pub serial: Option<String>,
    /// What is typed together with the code.
    pub pin: Option<Pin>,
    /// What its user calls it.
    pub name: Option<String>,
    /// Where it stands in its life.
    pub state: AuthenticatorState,
    /// The last value of the moving factor for which a code was accepted, a time step or a counter: no code of this or
    /// an earlier one counts again (RFC 6238 §5.2, RFC 4226 §7.2). [`Authenticator::UNUSED`] before the first.
    pub last_accepted: i64,
    /// When enrolment started.
    pub created_at: Time,
    /// When a code was last accepted.
    pub last_used_at: Option<Time>,
}

impl Authenticator {
    /// No code was accepted yet. Counter 0 is the first that a HOTP device shows, so this lies before it.
    pub const UNUSED: i64 = -1;

    /// One that is new and waits for its first code.
    pub const fn pending(id: AuthenticatorId, user: UserId, kind: Kind, created_at: Time) -> Self {
        Self {
            id,
            user,
            kind,
            serial: None,
            pin: None,
            name: None,
            state: AuthenticatorState::Pending,
            last_accepted: Self::UNUSED,
            created_at,
            last_used_at: None,
        }
    }

    /// The row that its sealed secret is bound to.
    pub fn row(&self) -> String {
        format!("authenticators/{}", self.id)
    }

    /// The row that the sealed hash of its PIN is bound to.
    pub fn pin_row(&self) -> String {
        format!("authenticators/{}/pin", self.id)
    }

    /// What the policy asks about.
    pub fn held(&self) -> Held {
        Held { id: self.id.clone(), worth: self.kind.method().worth(), usable: true }
    }
}

/// An authenticator as the policy sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Its row.
    pub id: AuthenticatorId,
    /// What it proves.
    pub worth: FactorStrength,
    /// Can it be used at the issuer that asks? A passkey belongs to a host name.
    pub usable: bool,
}

/// The best of these that can be used at the issuer that asks.
pub fn best_usable(held: &[Held]) -> Option<FactorStrength> {
    held.iter().filter(|held| held.usable).map(|held| held.worth).max()
}

/// What an authenticator is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Codes by the clock (RFC 6238), of an application or a device.
    Totp {
        /// How they are made.
        #[serde(flatten)]
        parameters: TotpParameters,
        /// Time steps the device's clock was seen ahead (positive) or behind.
        #[serde(skip)]
        drift: i64,
    },
    /// Codes by a counter (RFC 4226).
    Hotp {
        /// 6 or 8
        digits: u32,
    },
    /// Codes sent to a telephone.
    Sms {
        /// Where.
        #[serde(rename = "phone_number")]
        number: PhoneNumber,
    },
    /// Codes sent by mail.
    Mail {
        /// Where.
        #[serde(rename = "email")]
        address: EmailAddress,
    },
}

impl Kind {
    /// The kind that every authenticator application understands.
    pub fn application() -> Self {
        Self::Totp { parameters: TotpParameters::default(), drift: 0 }
    }

    /// How it is enrolled and what it is worth; a device of either OATH kind is as good as an application.
    pub const fn method(&self) -> Method {
        match self {
            Self::Totp { .. } | Self::Hotp { .. } => Method::Totp,
            Self::Sms { .. } => Method::Sms,
            Self::Mail { .. } => Method::Mail,
        }
    }

    /// How many digits its codes have.
    pub const fn digits(&self) -> u32 {
        match self {
            Self::Totp { parameters, .. } => parameters.digits,
            Self::Hotp { digits } => *digits,
            Self::Sms { .. } | Self::Mail { .. } => 6,
        }
    }

    /// Does it share a secret with us? Where codes are delivered, there is nothing to share.
    pub const fn has_secret(&self) -> bool {
        matches!(self, Self::Totp { .. } | Self::Hotp { .. })
    }

    /// Where its codes are sent, as far as a page may say; `None` where the device makes them.
    pub fn destination(&self) -> Option<(Channel, String)> {
        match self {
            Self::Sms { number } => Some((Channel::Sms, number.masked())),
            Self::Mail { address } => Some((Channel::Mail, address.masked())),
            Self::Totp { .. } | Self::Hotp { .. } => None,
        }
    }

    /// Time steps the device's clock was seen ahead or behind; 0 where there is no clock.
    pub const fn drift(&self) -> i64 {
        match self {
            Self::Totp { drift, .. } => *drift,
            _ => 0,
        }
    }

    /// The same, with the drift as it was stored.
    #[must_use]
    pub fn drifted(self, drift: i64) -> Self {
        match self {
            Self::Totp { parameters, .. } => Self::Totp { parameters, drift },
            other => other,
        }
    }
}

/// The parameters of RFC 6238, without the secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TotpParameters {
    /// The hash behind the code.
    pub algorithm: OtpAlgorithm,
    /// 6 or 8
    pub digits: u32,
    /// Seconds a code is shown: a multiple of 30, from 30 to 86400.
    pub period: u64,
}

impl Default for TotpParameters {
    /// What every authenticator application understands.
    fn default() -> Self {
        Self { algorithm: OtpAlgorithm::Sha1, digits: 6, period: 30 }
    }
}

impl TotpParameters {
    /// Are these parameters ones that a code may be made with?
    pub const fn is_valid(&self) -> bool {
        matches!(self.digits, 6 | 8)
            && self.period.is_multiple_of(30)
            && self.period >= 30
            && self.period <= 86_400
    }
}

/// The hash behind an OTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OtpAlgorithm {
    /// HMAC-SHA-1
    #[serde(rename = "SHA1")]
    Sha1,
    /// HMAC-SHA-256
    #[serde(rename = "SHA256")]
    Sha256,
    /// HMAC-SHA-512
    #[serde(rename = "SHA512")]
    Sha512,
}

impl OtpAlgorithm {
    /// Reads the name as `otpauth:` addresses and the exports of other systems write it: `SHA1`, `sha256`, `SHA-512`,
    /// `HmacSHA1`, `HMAC-SHA-256`.
    pub fn parse(text: &str) -> Option<Self> {
        let letters: String =
            text.chars().filter(|c| !matches!(c, '-' | '_')).map(|c| c.to_ascii_uppercase()).collect();
        match letters.strip_prefix("HMAC").unwrap_or(&letters) {
            "SHA1" => Some(Self::Sha1),
            "SHA256" => Some(Self::Sha256),
            "SHA512" => Some(Self::Sha512),
            _ => None,
        }
    }
}

/// Static digits that are typed in one field with the code (functional specification 6.5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin {
    /// A PHC string under the master key, sealed for [`Authenticator::pin_row`].
    pub sealed_hash: String,
    /// On which side of the code they stand.
    pub position: PinPosition,
}

/// On which side of the code a PIN is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PinPosition {
    /// The PIN first, then the code.
    Before,
    /// The code first, then the PIN.
    After,
}

/// Where an authenticator stands in its life. A revoked one has no row any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AuthenticatorState {
    /// Its secret was shown; nothing counts before the first code is confirmed.
    Pending,
    /// It may prove a second factor.
    Active,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The migration writes rows of the first schema in this form.
    #[test]
    fn kinds_are_stored_by_name() {
        let stored = r#"{"totp":{"algorithm":"SHA1","digits":6,"period":30}}"#;
        assert_eq!(serde_json::to_string(&Kind::application().drifted(3)).unwrap(), stored);
        assert_eq!(serde_json::from_str::<Kind>(stored).unwrap(), Kind::application());
        assert_eq!(serde_json::to_string(&Kind::Hotp { digits: 8 }).unwrap(), r#"{"hotp":{"digits":8}}"#);
    }

    #[test]
    fn algorithms_are_read_by_every_name_that_exports_give_them() {
        for (name, algorithm) in [
            ("SHA1", OtpAlgorithm::Sha1),
            ("sha1", OtpAlgorithm::Sha1),
            ("HmacSHA1", OtpAlgorithm::Sha1),
            ("HMAC-SHA1", OtpAlgorithm::Sha1),
            ("HmacSHA256", OtpAlgorithm::Sha256),
            ("HMAC-SHA-256", OtpAlgorithm::Sha256),
            ("sha-512", OtpAlgorithm::Sha512),
            ("HMAC_SHA512", OtpAlgorithm::Sha512),
        ] {
            assert_eq!(OtpAlgorithm::parse(name), Some(algorithm), "{name}");
        }
        for name in ["", "MD5", "HmacMD5", "SHA", "SHA384", "HMAC", "SHA 1", "SHA1x"] {
            assert_eq!(OtpAlgorithm::parse(name), None, "{name}");
        }
    }

    #[test]
    fn mail_is_worth_least_and_a_passkey_most() {
        let worth = [Method::Mail, Method::Sms, Method::Totp, Method::Passkey].map(Method::worth);
        assert!(worth.is_sorted_by(|less, more| less < more));
    }
}
