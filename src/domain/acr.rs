//! Authentication context classes and methods: what a login proved, in words the client understands.
//!
//! There is no `phrh`, which promises attested hardware: nobody is asked for an attestation. It would name the model of
//! everybody's device to us, shut out all passkeys that are synchronised, and be worth no more than a list of
//! manufacturers' certificates that somebody keeps up to date.

use serde::{Deserialize, Serialize};

use super::time::Time;

/// How much a login proved, weakest first. The order is the one `acr_values_supported` advertises.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Acr {
    /// One factor.
    #[serde(rename = "urn:vestibule:acr:1fa")]
    OneFactor,
    /// Two factors of different kinds.
    #[serde(rename = "urn:vestibule:acr:2fa")]
    TwoFactors,
    /// A passkey or security key, which no other site can ask for (OpenID EAP ACR Values §2).
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

    /// The class of that name, if there is one.
    pub fn parse(value: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|acr| acr.as_str() == value)
    }
}

/// What a login proved: the claims `auth_time`, `acr` and `amr`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthContext {
    /// When the oldest factor that `acr` relies on was proved.
    pub auth_time: Time,
    /// The class reached.
    pub acr: Acr,
    /// Methods by their names in RFC 8176.
    pub amr: Vec<String>,
}

impl AuthContext {
    /// Was a second factor proved that no message has carried? Administrators must have one.
    pub fn is_by_device(&self) -> bool {
        self.acr >= Acr::TwoFactors && !self.amr.iter().any(|method| method == "mca")
    }
}
