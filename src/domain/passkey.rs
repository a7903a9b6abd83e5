//! Passkeys: credentials for one relying party, of which we store the public key (Web Authentication Level 3).
//!
//! Security keys and passkeys on telephones are treated the same. Their differences are checked at each use: whether it
//! verified its user, and whether its key can be backed up.
//!
//! **The relying party ID is the host name of the issuer.** The root issuer and the tenants' path issuers share it, so
//! a passkey works at all of them; a tenant's host issuer is another relying party, because browsers bind passkeys to a
//! host. Such a passkey still counts as an authenticator of its user: where it cannot be used, a password alone must
//! not be enough.

use serde::{Deserialize, Serialize};

use super::authenticator::{FactorStrength, Held};
use super::ids::{AuthenticatorId, CredentialId, UserHandle, UserId};
use super::issuer::IssuerUrl;
use super::time::Time;

/// A relying party ID: the host name that a passkey is bound to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, sqlx::Type)]
#[serde(transparent)]
#[sqlx(transparent)]
pub struct RpId(String);

impl RpId {
    /// The relying party ID of an issuer. `None` if browsers support no passkeys there: on an IP address, or over plain
    /// HTTP from another machine.
    pub fn of(issuer: &IssuerUrl) -> Option<Self> {
        let secure = issuer.is_https() || issuer.is_loopback();
        issuer.domain().filter(|_| secure).map(|host| Self(host.to_owned()))
    }

    /// Parses an exported host name.
    pub fn parse(text: &str) -> Option<Self> {
        let host = url::Host::parse(text).ok()?;
        matches!(&host, url::Host::Domain(name) if name == text).then(|| Self(text.to_owned()))
    }

    /// The host name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A passkey of a user. It contains nothing secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passkey {
    /// Its id.
    pub id: AuthenticatorId,
    /// Its owner.
    pub user: UserId,
    /// The user handle: random, and the same for all passkeys of one user.
    pub user_handle: UserHandle,
    /// The credential id, unique among all passkeys.
    pub credential_id: CredentialId,
    /// The relying party ID it is bound to.
    pub rp: RpId,
    /// The public key and the registration's properties, as serialized by `crypto::webauthn`.
    pub credential: String,
    /// The highest signature counter seen; 0 if the authenticator has no counter.
    pub counter: i64,
    /// The time of registration.
    pub created_at: Time,
    /// The time of the last use.
    pub last_used_at: Option<Time>,
}

impl Passkey {
    /// Its view for the policy, at an issuer with this relying party ID.
    pub fn held(&self, at: Option<&RpId>) -> Held {
        Held { id: self.id.clone(), worth: FactorStrength::PhishingResistant, usable: at == Some(&self.rp) }
    }
}

/// The storage of a private key, as the authenticator claims without attestation (Web Authentication §6.1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyStorage {
    /// In one device, not exportable.
    Device,
    /// Can be synchronised to other devices of its user.
    Synchronised,
}

/// A request to the browser that has not been answered. It can be answered once, rightly or wrongly.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasskeyChallenge {
    /// The purpose.
    pub purpose: PasskeyPurpose,
    /// The options for the browser, as JSON.
    pub options: String,
    /// The state for verifying the response, as JSON. It never leaves the provider.
    pub state: String,
}

/// The purpose of a ceremony.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PasskeyPurpose {
    /// To register a passkey.
    Enrol,
    /// To prove a known user's second factor.
    Prove,
    /// To identify and authenticate a user.
    SignIn,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_relying_party_is_the_issuers_host_where_browsers_know_passkeys() {
        let rp = |url: &str| RpId::of(&IssuerUrl::parse(url).unwrap()).map(|rp| rp.0);
        assert_eq!(rp("https://id.test:8443/a").as_deref(), Some("id.test"));
        assert_eq!(rp("https://id.test/t/a.sms").as_deref(), Some("id.test"));
        assert_eq!(rp("http://localhost:8080").as_deref(), Some("localhost"));
        assert_eq!(rp("http://id.test"), None);
        assert_eq!(rp("http://127.0.0.1:8080"), None);
        assert_eq!(rp("https://[::1]"), None);
    }
}
