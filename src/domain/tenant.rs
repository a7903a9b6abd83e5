//! A tenant: the unit of isolation, with the domain its users type and the policy of its logins.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

use super::authenticator::{FactorStrength, Method};
use super::branding::Branding;
use super::epoch::Epoch;
use super::ids::{ResellerId, TenantId};
use super::locale::Locale;
use super::time::Time;
use super::trusted_browser::TrustRules;
use super::zone::Zone;

/// One tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    /// Its id.
    pub id: TenantId,
    /// The domain that its users type.
    pub domain: TenantDomain,
    /// The name that its users read.
    pub name: String,
    /// The reseller that manages it.
    pub reseller: Option<ResellerId>,
    /// A disabled tenant's users cannot sign in, and its clients are treated as unknown.
    pub disabled: bool,
    /// Raised by every event that ends what was issued to its users and clients (see [`super::epoch`]); only the store
    /// changes it.
    pub epoch: Epoch,
    /// The default language of its pages.
    pub locale: Locale,
    /// The default time zone of its users.
    pub time_zone: Zone,
    /// The rules of its logins.
    pub policy: TenantPolicy,
    /// Logo and accent colour of its pages.
    pub branding: Branding,
}

/// The public name of a tenant, for example `123456.sms`: lower-case ASCII letters, digits, dot, hyphen and underscore.
///
/// It has one canonical form, so that no second spelling can belong to another tenant: width and case are folded, a
/// trailing dot is removed, and punycode labels are rejected.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, sqlx::Type)]
#[serde(try_from = "String", into = "String")]
#[sqlx(transparent)]
pub struct TenantDomain(String);

/// The text is not a tenant domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "is not a tenant domain: 1 to 128 letters, digits, dots, hyphens or underscores, starting and ending with a letter or digit"
)]
pub struct TenantDomainError;

impl TenantDomain {
    const MAX: usize = 128;

    /// Normalizes a domain to its canonical form.
    pub fn parse(text: &str) -> Result<Self, TenantDomainError> {
        let folded = text.trim().nfkc().collect::<String>().to_lowercase();
        let domain = folded.strip_suffix('.').unwrap_or(&folded);
        let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'_');
        let outer = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        let bytes = domain.as_bytes();
        let shaped = bytes.len() <= Self::MAX
            && bytes.iter().copied().all(inner)
            && outer(bytes.first())
            && outer(bytes.last())
            && domain.split('.').all(|label| !label.is_empty() && !label.starts_with("xn--"));
        if shaped { Ok(Self(domain.to_owned())) } else { Err(TenantDomainError) }
    }

    /// Parses typed or pasted text; of the URL of a customer's portal only the part after `tenant-` is used.
    pub fn typed(text: &str) -> Result<Self, TenantDomainError> {
        let after = text.rfind("tenant-").filter(|_| text.contains("://")).and_then(|at| text.get(at + 7..));
        let part = after.map_or(text, |rest| rest.split(['/', '?', '#', ':']).next().unwrap_or_default());
        Self::parse(part)
    }

    /// The canonical form.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for TenantDomain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for TenantDomain {
    type Error = TenantDomainError;

    fn try_from(text: String) -> Result<Self, TenantDomainError> {
        Self::parse(&text)
    }
}

impl From<TenantDomain> for String {
    fn from(domain: TenantDomain) -> Self {
        domain.0
    }
}

/// The login policy of a tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a setting of its own")]
pub struct TenantPolicy {
    /// Whether every user needs a second factor; for administrators `admin_mfa_enforced_from` decides.
    pub mfa: Mfa,
    /// The time from which administrators need a second factor; `None` = always.
    pub admin_mfa_enforced_from: Option<Time>,
    /// The way in which administrators enrol their first authenticator.
    pub admin_activation: AdminActivation,
    /// The second factors that may be enrolled.
    pub methods: Vec<Method>,
    /// Whether users may sign in with a passkey alone, without name and password.
    pub passkey_sign_in: bool,
    /// Whether a code by mail counts as a second factor (`acr` 2fa), and does not only meet the tenant's own rule. It
    /// never does for administrators.
    pub mail_counts_as_2fa: bool,
    /// Whether users may resynchronise a drifted device, on the page that asks for its code.
    pub resync: bool,
    /// Whether the name of the office computer is asked for in a new enrolment.
    pub ask_desktop_name: bool,
    /// The rules by which a trusted browser skips the second factor; never for administrators.
    pub trusted_browsers: TrustRules,
    /// Idle lifetime of a session in seconds.
    pub session_idle: u64,
    /// Maximum lifetime of a session in seconds.
    pub session_max: u64,
}

impl Default for TenantPolicy {
    /// Session lifetimes of NIST SP 800-63B-4 (draft) for AAL2: 30 minutes idle, 12 hours in all.
    fn default() -> Self {
        Self {
            mfa: Mfa::Optional,
            admin_mfa_enforced_from: None,
            admin_activation: AdminActivation::Inline,
            methods: vec![Method::Totp],
            passkey_sign_in: false,
            mail_counts_as_2fa: false,
            resync: false,
            ask_desktop_name: false,
            trusted_browsers: TrustRules::default(),
            session_idle: 30 * 60,
            session_max: 12 * 60 * 60,
        }
    }
}

impl TenantPolicy {
    /// The minimum strength of a second factor. Mail is not out of band (NIST SP 800-63B), so it counts only if the
    /// tenant says so, and never for administrators.
    pub const fn two_factors(&self, is_admin: bool) -> FactorStrength {
        if self.mail_counts_as_2fa && !is_admin { FactorStrength::Mail } else { FactorStrength::Sms }
    }

    /// Returns whether this user has the second-factor duty of administrators now. Without a date it always applies.
    pub fn admin_duty(&self, is_admin: bool, now: Time) -> bool {
        is_admin && self.admin_mfa_enforced_from.is_none_or(|from| from <= now)
    }

    /// Idle lifetime of a session.
    pub const fn session_idle(&self) -> Duration {
        Duration::from_secs(self.session_idle)
    }

    /// Maximum lifetime of a session.
    pub const fn session_max(&self) -> Duration {
        Duration::from_secs(self.session_max)
    }
}

/// The way in which administrators enrol the first authenticator once they must have one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AdminActivation {
    /// In the login: the password is enough to enrol it.
    #[default]
    Inline,
    /// By a link in a mail to the stored address: the password alone is not enough.
    Mail,
}

/// Whether a tenant's users need a second factor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mfa {
    /// Only users who have enrolled one.
    #[default]
    Optional,
    /// All users.
    Required,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_canonical_form() {
        for text in ["123456.sms", " 123456.SMS ", "123456.sms.", "１２３４５６.sms"] {
            assert_eq!(TenantDomain::parse(text).unwrap().as_str(), "123456.sms", "{text}");
        }
    }

    #[test]
    fn refuses_what_could_be_mistaken() {
        for text in ["", ".", "a..b", "-a", "a-", "xn--a", "a b", "ä", "a/b", "a\0b", &"a".repeat(129)] {
            assert!(TenantDomain::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_pasted_portal_address_gives_the_part_after_tenant() {
        for text in ["https://portal.example.test/tenant-123456.sms/login", "https://tenant-123456.sms/?x=1"]
        {
            assert_eq!(TenantDomain::typed(text).unwrap().as_str(), "123456.sms", "{text}");
        }
        assert_eq!(TenantDomain::typed("tenant-b").unwrap().as_str(), "tenant-b");
    }
}
