//! Upstream providers: OpenID providers at which people of a reseller, or of one tenant, sign in instead of here.
//!
//! An account has one place to sign in, here or at one upstream provider, never both: two doors would be as strong as the
//! weaker one. Who somebody is there says the pair of provider and `sub`, the only thing that provider promises never to
//! give to another (OpenID Connect Core §5.7); an email address is no such thing.

use serde::{Deserialize, Serialize};

use super::authenticator::FactorStrength;
use super::ids::{ResellerId, TenantId, UpstreamId};

/// An organisation that manages several tenants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reseller {
    /// Its row.
    pub id: ResellerId,
    /// Its name in settings.
    pub name: Slug,
    /// What people read.
    pub title: String,
}

/// An upstream provider, and what we are to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upstream {
    /// Its row.
    pub id: UpstreamId,
    /// Its name in settings and in the redirect URI.
    pub name: Slug,
    /// Whose people sign in there.
    pub owner: Owner,
    /// What people read on the button: "Sign in with …".
    pub title: String,
    /// Its issuer, exactly as it writes it.
    pub issuer: String,
    /// Our name there.
    pub client_id: String,
    /// How it is spoken to and what its answers mean.
    pub rules: UpstreamRules,
}

/// Whose people sign in at an upstream provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owner {
    /// A reseller's, who work in all of its tenants.
    Reseller(ResellerId),
    /// One tenant's.
    Tenant(TenantId),
}

/// How an upstream provider is spoken to and what its answers mean.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct UpstreamRules {
    /// The values of `acr` by which it says that it saw two factors.
    pub mfa_acr: Vec<String>,
    /// The values of `amr` of which one says so.
    pub mfa_amr: Vec<String>,
    /// Where its people set up their second factor.
    pub activation_url: Option<String>,
    /// How we prove ourselves at its token endpoint.
    pub token_endpoint_auth_method: Authentication,
    /// The algorithm of its ID tokens; otherwise one of those signatures that its discovery document names.
    pub id_token_signed_response_alg: Option<String>,
}

/// How we prove ourselves at a token endpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Authentication {
    /// With the secret in a header.
    #[default]
    ClientSecretBasic,
    /// With the secret in the form.
    ClientSecretPost,
    /// By PKCE alone.
    None,
}

impl Authentication {
    /// The value of `token_endpoint_auth_method` of each.
    pub const NAMES: [&'static str; 3] = ["client_secret_basic", "client_secret_post", "none"];
}

impl UpstreamRules {
    /// Do these claims of an ID token say that two factors were proved?
    pub fn is_mfa(&self, acr: Option<&str>, amr: &[String]) -> bool {
        acr.is_some_and(|acr| self.mfa_acr.iter().any(|known| known == acr))
            || amr.iter().any(|method| self.mfa_amr.contains(method))
    }
}

/// The account of a user who signs in upstream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamAccount {
    /// Where.
    pub upstream: UpstreamId,
    /// Who the user is there: its `sub`. `None`: that is not known yet, so nobody can sign in.
    pub subject: Option<String>,
}

/// A login that an upstream provider vouched for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vouched {
    /// Which provider.
    pub upstream: UpstreamId,
    /// Did it see two factors, by our rules for it?
    pub mfa: bool,
    /// The methods it named, as far as others understand them (see [`understood`]).
    pub amr: Vec<String>,
}

impl Vouched {
    /// What a second factor that was proved upstream is worth.
    pub const WORTH: FactorStrength = FactorStrength::Device;
}

/// The names in the IANA registry of authentication method references (RFC 8176 §2).
const METHODS: [&str; 20] = [
    "face", "fpt", "geo", "hwk", "iris", "kba", "mca", "mfa", "otp", "pin", "pwd", "rba", "retina", "sc",
    "sms", "swk", "tel", "user", "vbm", "wia",
];

/// What can be passed on of an upstream provider's `amr`: registered names, each once, and `mfa` only where it counts.
pub fn understood(amr: &[String], mfa: bool) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for method in amr.iter().filter(|method| METHODS.contains(&method.as_str())) {
        if !all.contains(method) && (mfa || method != "mfa") {
            all.push(method.clone());
        }
    }
    all
}

/// A name in settings and addresses: 1 to 63 of `a-z 0-9 -`, with no hyphen at either end.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, sqlx::Type)]
#[serde(try_from = "String", into = "String")]
#[sqlx(transparent)]
pub struct Slug(String);

/// The text is not such a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to 63 lower-case letters, digits and hyphens, with no hyphen at either end")]
pub struct SlugError;

impl Slug {
    /// Checks a name.
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
