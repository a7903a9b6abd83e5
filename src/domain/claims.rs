//! Claims about the user: the profile as stored, and the `claims` request parameter (OpenID Connect Core §5.1, §5.5).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::scope;

/// The domain of the user's tenant; a claim of this provider, delivered with `profile`.
pub const TENANT: &str = "tenant";
/// The user's office computer; a claim of this provider, delivered with `profile`.
pub const PERSONAL_DESKTOP: &str = "personal_desktop";
/// The claims that this provider adds to those of OpenID Connect Core §5.4.
pub const ADDED_TO_PROFILE: [&str; 2] = [TENANT, PERSONAL_DESKTOP];

/// The claims of an ID token that describe the token itself, in the order of discovery.
pub const OF_ID_TOKEN: [&str; 11] =
    ["iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "sid", "at_hash"];

/// The claims about a user that discovery lists after [`OF_ID_TOKEN`].
pub fn about_users() -> impl Iterator<Item = &'static str> {
    scope::SUPPORTED.into_iter().flat_map(scope::claims_of).copied().chain(ADDED_TO_PROFILE)
}

/// The standard claims of a user, by their names in OpenID Connect Core §5.1. Absent members are never sent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Profile {
    #[expect(missing_docs, reason = "OpenID Connect Core §5.1 says what each member is")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[expect(missing_docs, reason = "OpenID Connect Core §5.1")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub given_name: Option<String>,
    #[expect(missing_docs, reason = "OpenID Connect Core §5.1")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub family_name: Option<String>,
    #[expect(missing_docs, reason = "OpenID Connect Core §5.1")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub middle_name: Option<String>,
    #[expect(missing_docs, reason = "OpenID Connect Core §5.1")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nickname: Option<String>,
    #[expect(missing_docs, reason = "OpenID Connect Core §5.1")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    #[expect(missing_docs, reason = "OpenID Connect Core §5.1")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub picture: Option<String>,
    #[expect(missing_docs, reason = "OpenID Connect Core §5.1")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub website: Option<String>,
    #[expect(missing_docs, reason = "OpenID Connect Core §5.1")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    #[expect(missing_docs, reason = "OpenID Connect Core §5.1")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email_verified: Option<bool>,
    #[expect(missing_docs, reason = "OpenID Connect Core §5.1")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gender: Option<String>,
    #[expect(missing_docs, reason = "OpenID Connect Core §5.1")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub birthdate: Option<String>,
    #[expect(missing_docs, reason = "OpenID Connect Core §5.1")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zoneinfo: Option<String>,
    #[expect(missing_docs, reason = "OpenID Connect Core §5.1")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    #[expect(missing_docs, reason = "OpenID Connect Core §5.1")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone_number: Option<String>,
    #[expect(missing_docs, reason = "OpenID Connect Core §5.1")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone_number_verified: Option<bool>,
    #[expect(missing_docs, reason = "OpenID Connect Core §5.1.1")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<PostalAddress>,
}

/// The `address` claim (OpenID Connect Core §5.1.1).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PostalAddress {
    #[expect(missing_docs, reason = "OpenID Connect Core §5.1.1 says what each member is")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub formatted: Option<String>,
    #[expect(missing_docs, reason = "OpenID Connect Core §5.1.1")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub street_address: Option<String>,
    #[expect(missing_docs, reason = "OpenID Connect Core §5.1.1")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locality: Option<String>,
    #[expect(missing_docs, reason = "OpenID Connect Core §5.1.1")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    #[expect(missing_docs, reason = "OpenID Connect Core §5.1.1")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    #[expect(missing_docs, reason = "OpenID Connect Core §5.1.1")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
}

/// The `claims` request parameter (OpenID Connect Core §5.5).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClaimsRequest {
    /// Claims requested from UserInfo.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub userinfo: BTreeMap<String, Option<ClaimRequest>>,
    /// Claims requested in the ID token.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub id_token: BTreeMap<String, Option<ClaimRequest>>,
}

/// The options of a requested claim (OpenID Connect Core §5.5.1).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClaimRequest {
    /// Whether the claim is essential; for `acr` it is then a condition.
    pub essential: bool,
    /// The requested value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
    /// The requested values in order of preference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub values: Option<Vec<Value>>,
}
