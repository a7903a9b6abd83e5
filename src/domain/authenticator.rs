//! Authenticators: the things users have that make codes. (Never called tokens: those are OAuth's.)

use serde::{Deserialize, Serialize};

use super::ids::{AuthenticatorId, UserId};
use super::time::Time;

/// A way to prove a second factor, by the word forms and settings use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// An authenticator application (RFC 6238).
    Totp,
}

/// One authenticator of one user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authenticator {
    /// Its row.
    pub id: AuthenticatorId,
    /// Whose it is.
    pub user: UserId,
    /// How its codes are made.
    pub totp: TotpParameters,
    /// Where it stands in its life.
    pub state: AuthenticatorState,
    /// Time steps the device's clock was seen ahead (positive) or behind.
    pub drift_steps: i64,
    /// The last time step a code was accepted for; no code of this or an earlier step counts again (RFC 6238 §5.2).
    pub last_accepted_step: i64,
    /// When enrolment started.
    pub created_at: Time,
}

impl Authenticator {
    /// The row that its sealed secret is bound to.
    pub fn row(&self) -> String {
        format!("authenticators/{}", self.id)
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

/// Where an authenticator stands in its life. A revoked one has no row any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AuthenticatorState {
    /// Its secret was shown; nothing counts before the first code is confirmed.
    Pending,
    /// It may prove a second factor.
    Active,
}
