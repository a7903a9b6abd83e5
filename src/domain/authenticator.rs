//! Authenticators: applications, devices and destinations that generate or receive codes. (Not called tokens, which are
//! OAuth's.)
//!
//! All kinds share one table. [`AuthenticatorKind`] has what differs; state, name, PIN and the moving factor that makes a code valid
//! once are common to all. Passkeys have a table of their own: a user has several, and they prove themselves by
//! signatures.

use serde::{Deserialize, Serialize};

use super::contact::{EmailAddress, PhoneNumber};
use super::ids::{AuthenticatorId, UserId};
use super::message::Channel;
use super::time::Time;

/// A method of proving a second factor that users may enrol.
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
    /// The name in forms and settings.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Totp => "totp",
            Self::Sms => "sms",
            Self::Mail => "mail",
            Self::Passkey => "passkey",
        }
    }

    /// Its strength as a second factor.
    pub const fn worth(self) -> FactorStrength {
        match self {
            Self::Totp => FactorStrength::Device,
            Self::Passkey => FactorStrength::PhishingResistant,
            Self::Sms => FactorStrength::Sms,
            Self::Mail => FactorStrength::Mail,
        }
    }
}

/// The strength of a second factor, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FactorStrength {
    /// A code by mail. It meets a tenant's rule, but counts as a second factor only if the tenant says so.
    Mail,
    /// A code by SMS. It counts as a second factor, but never for the administrators' duty.
    Sms,
    /// A device or application in the user's possession.
    Device,
    /// A passkey, whose proof cannot be relayed to another site.
    PhishingResistant,
}

/// One authenticator of one user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authenticator {
    /// Its id.
    pub id: AuthenticatorId,
    /// Its owner.
    pub user: UserId,
    /// The kind with its parameters.
    pub kind: AuthenticatorKind,
    /// The serial number printed on a hardware device; `None` for other kinds.
    pub serial: Option<String>,
    /// The PIN typed together with the code.
    pub pin: Option<Pin>,
    /// The name given by its user.
    pub name: Option<String>,
    /// Its state.
    pub state: AuthenticatorState,
    /// The last accepted value of the moving factor, a time step or a counter: no code of this or an earlier one is
    /// accepted (RFC 6238 §5.2, RFC 4226 §7.2). [`Authenticator::UNUSED`] before the first.
    pub last_accepted: i64,
    /// The start of the enrolment.
    pub created_at: Time,
    /// The time of the last accepted code.
    pub last_used_at: Option<Time>,
}

impl Authenticator {
    /// No code was accepted yet. It precedes counter 0, the first of a HOTP device.
    pub const UNUSED: i64 = -1;

    /// A new authenticator that waits for its first code.
    pub const fn pending(
        id: AuthenticatorId,
        user: UserId,
        kind: AuthenticatorKind,
        created_at: Time,
    ) -> Self {
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

    /// The row name that its secret is sealed for.
    pub fn row(&self) -> String {
        format!("authenticators/{}", self.id)
    }

    /// The row name that the hash of its PIN is sealed for.
    pub fn pin_row(&self) -> String {
        format!("authenticators/{}/pin", self.id)
    }

    /// Its view for the policy.
    pub fn held(&self) -> Held {
        Held { id: self.id.clone(), worth: self.kind.method().worth(), usable: true }
    }
}

/// An authenticator as the policy sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Its id.
    pub id: AuthenticatorId,
    /// Its strength.
    pub worth: FactorStrength,
    /// Whether it can be used at the current issuer: a passkey belongs to a host name.
    pub usable: bool,
}

/// The strength of the best of these that can be used at the current issuer.
pub fn best_usable(held: &[Held]) -> Option<FactorStrength> {
    held.iter().filter(|held| held.usable).map(|held| held.worth).max()
}

/// The kind of an authenticator, with its parameters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AuthenticatorKind {
    /// Time-based codes of an application or device (RFC 6238).
    Totp {
        /// The parameters of the codes.
        #[serde(flatten)]
        parameters: TotpParameters,
        /// Drift of the device's clock in time steps, positive if it is ahead.
        #[serde(skip)]
        drift: i64,
    },
    /// Counter-based codes (RFC 4226).
    Hotp {
        /// Number of digits: 6 or 8.
        digits: u32,
    },
    /// Codes sent to a telephone.
    Sms {
        /// The number.
        #[serde(rename = "phone_number")]
        number: PhoneNumber,
    },
    /// Codes sent by mail.
    Mail {
        /// The address.
        #[serde(rename = "email")]
        address: EmailAddress,
    },
}

impl AuthenticatorKind {
    /// The kind that every authenticator application supports.
    pub fn application() -> Self {
        Self::Totp { parameters: TotpParameters::default(), drift: 0 }
    }

    /// The method of its enrolment; a device of either OATH kind counts as an application.
    pub const fn method(&self) -> Method {
        match self {
            Self::Totp { .. } | Self::Hotp { .. } => Method::Totp,
            Self::Sms { .. } => Method::Sms,
            Self::Mail { .. } => Method::Mail,
        }
    }

    /// The number of digits of its codes.
    pub const fn digits(&self) -> u32 {
        match self {
            Self::Totp { parameters, .. } => parameters.digits,
            Self::Hotp { digits } => *digits,
            Self::Sms { .. } | Self::Mail { .. } => 6,
        }
    }

    /// Returns whether it has a shared secret; delivered codes have none.
    pub const fn has_secret(&self) -> bool {
        matches!(self, Self::Totp { .. } | Self::Hotp { .. })
    }

    /// The masked destination of its codes; `None` if the device generates them.
    pub fn destination(&self) -> Option<(Channel, String)> {
        match self {
            Self::Sms { number } => Some((Channel::Sms, number.masked())),
            Self::Mail { address } => Some((Channel::Mail, address.masked())),
            Self::Totp { .. } | Self::Hotp { .. } => None,
        }
    }

    /// Drift of the device's clock in time steps; 0 for kinds without a clock.
    pub const fn drift(&self) -> i64 {
        match self {
            Self::Totp { drift, .. } => *drift,
            _ => 0,
        }
    }

    /// The same with the stored drift.
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
    /// The hash function.
    pub algorithm: OtpAlgorithm,
    /// Number of digits: 6 or 8.
    pub digits: u32,
    /// The period in seconds: a multiple of 30, from 30 to 86400.
    pub period: u64,
}

impl Default for TotpParameters {
    /// The parameters that every authenticator application supports.
    fn default() -> Self {
        Self { algorithm: OtpAlgorithm::Sha1, digits: 6, period: 30 }
    }
}

impl TotpParameters {
    /// Returns whether the parameters are supported.
    pub const fn is_valid(&self) -> bool {
        matches!(self.digits, 6 | 8)
            && self.period.is_multiple_of(30)
            && self.period >= 30
            && self.period <= 86_400
    }
}

/// The hash function of an OTP.
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
    /// Parses the name in `otpauth:` URIs and exports of other systems: `SHA1`, `sha256`, `SHA-512`, `HmacSHA1`,
    /// `HMAC-SHA-256`.
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

/// Static digits that are typed in one field with the code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin {
    /// The PHC string of the PIN, sealed for [`Authenticator::pin_row`].
    pub sealed_hash: String,
    /// Their position relative to the code.
    pub position: PinPosition,
}

/// The position of a PIN relative to the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PinPosition {
    /// The PIN first, then the code.
    Before,
    /// The code first, then the PIN.
    After,
}

/// The state of an authenticator. A revoked one has no row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AuthenticatorState {
    /// Its secret was shown; it cannot be used until the first code is confirmed.
    Pending,
    /// It can prove a second factor.
    Active,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A migration writes rows of the first schema in this form.
    #[test]
    fn kinds_are_stored_by_name() {
        let stored = r#"{"totp":{"algorithm":"SHA1","digits":6,"period":30}}"#;
        assert_eq!(serde_json::to_string(&AuthenticatorKind::application().drifted(3)).unwrap(), stored);
        assert_eq!(
            serde_json::from_str::<AuthenticatorKind>(stored).unwrap(),
            AuthenticatorKind::application()
        );
        assert_eq!(
            serde_json::to_string(&AuthenticatorKind::Hotp { digits: 8 }).unwrap(),
            r#"{"hotp":{"digits":8}}"#
        );
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
