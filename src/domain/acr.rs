//! Authentication context classes and methods: what a login proved, in the terms that clients know.
//!
//! `phrh` is not offered, because it requires hardware attestation. Attestation would reveal everybody's device model,
//! exclude synchronised passkeys, and depend on an up-to-date list of manufacturers' certificates.

use serde::{Deserialize, Serialize};

use super::time::Time;

/// The class of an authentication, weakest first, in the order of `acr_values_supported`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Acr {
    /// One factor.
    #[serde(rename = "urn:vestibule:acr:1fa")]
    OneFactor,
    /// Two factors of different kinds.
    #[serde(rename = "urn:vestibule:acr:2fa")]
    TwoFactors,
    /// A passkey or security key, which is bound to the site (OpenID EAP ACR Values §2).
    #[serde(rename = "phr")]
    PhishingResistant,
}

impl Acr {
    /// All classes, weakest first.
    pub const ALL: [Self; 3] = [Self::OneFactor, Self::TwoFactors, Self::PhishingResistant];

    /// The value of the `acr` claim.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OneFactor => "urn:vestibule:acr:1fa",
            Self::TwoFactors => "urn:vestibule:acr:2fa",
            Self::PhishingResistant => "phr",
        }
    }

    /// Parses the class.
    pub fn parse(value: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|acr| acr.as_str() == value)
    }
}

/// The authentication context of a login: the claims `auth_time`, `acr` and `amr`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthContext {
    /// The time of the oldest factor that `acr` relies on.
    pub auth_time: Time,
    /// The class.
    pub acr: Acr,
    /// Methods by their names in RFC 8176.
    pub amr: Vec<String>,
}

impl AuthContext {
    /// Returns whether a second factor other than a delivered code was proved, as administrators must.
    pub fn is_by_device(&self) -> bool {
        self.acr >= Acr::TwoFactors && !self.amr.iter().any(|method| method == "mca")
    }
}
