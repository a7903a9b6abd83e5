//! Passkeys: key pairs for one relying party, of which we hold the public half (Web Authentication Level 3).
//!
//! A security key and a passkey on a telephone are the same to us. What tells them apart is asked anew at each use: did
//! it verify its user, and may its key be copied?
//!
//! **The relying party is the host name of the issuer.** The root issuer and the tenants' issuers by path share one, so
//! a passkey works at all of them; a tenant's issuer on a host name of its own is another relying party, for browsers
//! give no passkey to a host that it was not made for. Such a passkey still counts as something that its user holds: where
//! it cannot be used, a password alone must not be enough.

use serde::{Deserialize, Serialize};

use super::authenticator::{FactorStrength, Held};
use super::ids::{AuthenticatorId, CredentialId, UserHandle, UserId};
use super::issuer::IssuerUrl;
use super::time::Time;

/// The host name that a passkey is made for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, sqlx::Type)]
#[serde(transparent)]
#[sqlx(transparent)]
pub struct RpId(String);

impl RpId {
    /// The relying party of an issuer. `None` where browsers have no passkeys: at an address without a name, and over
    /// plain HTTP from another machine.
    pub fn of(issuer: &IssuerUrl) -> Option<Self> {
        let secure = issuer.is_https() || issuer.is_loopback();
        issuer.domain().filter(|_| secure).map(|host| Self(host.to_owned()))
    }

    /// A host name as it was exported.
    pub fn parse(text: &str) -> Option<Self> {
        let host = url::Host::parse(text).ok()?;
        matches!(&host, url::Host::Domain(name) if name == text).then(|| Self(text.to_owned()))
    }

    /// The host name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One passkey of one user. Nothing in it is secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passkey {
    /// Its row.
    pub id: AuthenticatorId,
    /// Whose it is.
    pub user: UserId,
    /// By what the passkey knows its user: random, and the same for all passkeys of one user.
    pub user_handle: UserHandle,
    /// What the authenticator calls it; no other passkey of anybody has the same.
    pub credential_id: CredentialId,
    /// Where it works.
    pub rp: RpId,
    /// The public key with what was said at its registration, as `crypto::webauthn` writes it.
    pub credential: String,
    /// The highest signature counter seen; stays 0 where the authenticator does not count.
    pub counter: i64,
    /// When it was registered.
    pub created_at: Time,
    /// When it was last used.
    pub last_used_at: Option<Time>,
}

impl Passkey {
    /// What the policy asks about, at an issuer of this relying party.
    pub fn held(&self, at: Option<&RpId>) -> Held {
        Held { id: self.id.clone(), worth: FactorStrength::PhishingResistant, usable: at == Some(&self.rp) }
    }
}

/// Where a private key lives, as its authenticator says (Web Authentication §6.1.3). Nobody has attested to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyStorage {
    /// In one device, which never gives it away.
    Device,
    /// It may be copied to others of its user's devices.
    Synchronised,
}

/// What the browser was asked and has not answered yet. It is answered once, rightly or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ceremony {
    /// What for.
    pub purpose: Purpose,
    /// What the browser is given, as JSON.
    pub options: String,
    /// What an answer is held against, as JSON. It never leaves the provider.
    pub state: String,
}

/// What a passkey is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// To be registered.
    Enrol,
    /// To prove a known user's second factor.
    Prove,
    /// To say who its user is, and prove it.
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
