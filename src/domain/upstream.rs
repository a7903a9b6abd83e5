//! Upstream providers: OpenID providers at which users of a reseller, or of one tenant, sign in instead of here.
//!
//! An account signs in at one place, here or at one upstream provider, never both: it would be as weak as the weaker
//! one. A user there is identified by the pair of provider and `sub`, the only claim that is never reassigned (OpenID
//! Connect Core §5.7); an email address may be.

use serde::{Deserialize, Serialize};

use super::authenticator::FactorStrength;
use super::ids::{ResellerId, TenantId, UpstreamId};

/// An organisation that manages several tenants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reseller {
    /// Its id.
    pub id: ResellerId,
    /// Its name in settings.
    pub name: Slug,
    /// Its display name.
    pub title: String,
}

/// An upstream provider, with our client registration there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upstream {
    /// Its id.
    pub id: UpstreamId,
    /// Its name in settings and in the redirect URI.
    pub name: Slug,
    /// The owner, whose users sign in there.
    pub owner: Owner,
    /// The display name on the button "Sign in with …".
    pub title: String,
    /// Its issuer, with exactly its own spelling.
    pub issuer: String,
    /// Our client id there.
    pub client_id: String,
    /// Protocol options and the meaning of its claims.
    pub rules: UpstreamRules,
}

/// The owner of an upstream provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owner {
    /// A reseller, whose users work in all of its tenants.
    Reseller(ResellerId),
    /// One tenant.
    Tenant(TenantId),
}

/// Protocol options of an upstream provider and the meaning of its claims.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct UpstreamRules {
    /// Values of `acr` that mean two factors.
    pub mfa_acr: Vec<String>,
    /// Values of `amr`, each of which means two factors.
    pub mfa_amr: Vec<String>,
    /// The page where its users set up a second factor.
    pub activation_url: Option<String>,
    /// Our authentication method at its token endpoint.
    pub token_endpoint_auth_method: Authentication,
    /// The algorithm of its ID tokens; `None` = a signature algorithm that its discovery document names.
    pub id_token_signed_response_alg: Option<String>,
}

/// Our authentication method at a token endpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Authentication {
    /// The secret in a header.
    #[default]
    ClientSecretBasic,
    /// The secret in the form.
    ClientSecretPost,
    /// No secret, PKCE only.
    None,
}

impl Authentication {
    /// The value of `token_endpoint_auth_method` of each.
    pub const NAMES: [&'static str; 3] = ["client_secret_basic", "client_secret_post", "none"];
}

impl UpstreamRules {
    /// Returns whether these claims of an ID token mean two factors.
    pub fn is_mfa(&self, acr: Option<&str>, amr: &[String]) -> bool {
        acr.is_some_and(|acr| self.mfa_acr.iter().any(|known| known == acr))
            || amr.iter().any(|method| self.mfa_amr.contains(method))
    }
}

/// The upstream account of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamAccount {
    /// The provider.
    pub upstream: UpstreamId,
    /// The user's `sub` there. `None`: not known yet, so the user cannot sign in.
    pub subject: Option<String>,
}

/// An authentication by an upstream provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vouched {
    /// The provider.
    pub upstream: UpstreamId,
    /// Whether two factors were proved, by our rules for the provider.
    pub mfa: bool,
    /// The provider's method names, as far as they are registered (see [`understood`]).
    pub amr: Vec<String>,
}

impl Vouched {
    /// The strength of a second factor that was proved upstream.
    pub const WORTH: FactorStrength = FactorStrength::Device;
}

/// The names in the IANA registry of authentication method references (RFC 8176 §2).
const METHODS: [&str; 20] = [
    "face", "fpt", "geo", "hwk", "iris", "kba", "mca", "mfa", "otp", "pin", "pwd", "rba", "retina", "sc",
    "sms", "swk", "tel", "user", "vbm", "wia",
];

/// The values of an upstream provider's `amr` that are passed on: registered names without duplicates, and `mfa` only
/// if two factors count as proved.
pub fn understood(amr: &[String], mfa: bool) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for method in amr.iter().filter(|method| METHODS.contains(&method.as_str())) {
        if !all.contains(method) && (mfa || method != "mfa") {
            all.push(method.clone());
        }
    }
    all
}

/// A name in settings and URLs: 1 to 63 of `a-z 0-9 -`, with no hyphen at either end.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, sqlx::Type)]
#[serde(try_from = "String", into = "String")]
#[sqlx(transparent)]
pub struct Slug(String);

/// The text is not a valid name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to 63 lower-case letters, digits and hyphens, with no hyphen at either end")]
pub struct SlugError;

impl Slug {
    /// Validates a name.
    pub fn parse(text: &str) -> Result<Self, SlugError> {
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let shaped = (1..=63).contains(&text.len())
            && text.bytes().all(allowed)
            && !text.starts_with('-')
            && !text.ends_with('-');
        if shaped { Ok(Self(text.to_owned())) } else { Err(SlugError) }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Slug {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Slug {
    type Error = SlugError;

    fn try_from(text: String) -> Result<Self, SlugError> {
        Self::parse(&text)
    }
}

impl From<Slug> for String {
    fn from(slug: Slug) -> Self {
        slug.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_are_named_as_they_are_stored() {
        let all = [Authentication::ClientSecretBasic, Authentication::ClientSecretPost, Authentication::None];
        assert_eq!(serde_json::json!(all), serde_json::json!(Authentication::NAMES));
    }

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|&word| word.to_owned()).collect()
    }

    #[test]
    fn without_a_rule_nothing_counts_as_two_factors() {
        let none = UpstreamRules::default();
        assert!(!none.is_mfa(Some("mfa"), &words(&["pwd", "otp", "mfa"])));
        let rules = UpstreamRules { mfa_acr: words(&["gold"]), mfa_amr: words(&["otp"]), ..none };
        assert!(rules.is_mfa(Some("gold"), &[]) && rules.is_mfa(None, &words(&["pwd", "otp"])));
        assert!(!rules.is_mfa(Some("Gold"), &words(&["pwd"])) && !rules.is_mfa(None, &[]));
    }

    #[test]
    fn only_registered_methods_are_passed_on() {
        let amr = words(&["pwd", "Otp", "urn:own", "otp", "pwd", "mfa"]);
        assert_eq!(understood(&amr, true), words(&["pwd", "otp", "mfa"]));
        assert_eq!(understood(&amr, false), words(&["pwd", "otp"]));
    }

    #[test]
    fn a_name_fits_into_an_address() {
        assert!(["a", "north-login", "7"].iter().all(|text| Slug::parse(text).is_ok()));
        let long = "a".repeat(64);
        for text in ["", "-a", "a-", "A", "a b", "a/b", "ä", "a.b", &long] {
            assert!(Slug::parse(text).is_err(), "{text}");
        }
    }
}
