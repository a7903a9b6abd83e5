//! An authorization request as received and stored; `protocol` alone decides whether it is a valid one.

use serde::{Deserialize, Serialize};

use super::acr::Acr;
use super::claims::ClaimsRequest;
use super::ids::{ClientId, IssuerId};
use super::locale::Locale;
use super::scope::Scope;

/// What a client asked the authorization endpoint for (OpenID Connect Core §3.1.2.1, RFC 7636 §4.3).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuthorizationRequest {
    /// The issuer asked.
    pub issuer: IssuerId,
    /// The client asking.
    pub client: ClientId,
    /// Where the answer goes: exactly as requested, already matched with a registered one.
    pub redirect_uri: String,
    /// How the answer goes there.
    pub response_mode: ResponseMode,
    /// Scopes that exist and that the client may have.
    pub scope: Scope,
    /// Given back byte for byte.
    pub state: Option<String>,
    /// Put into the ID token.
    pub nonce: Option<String>,
    /// The S256 challenge; required of public clients.
    pub code_challenge: Option<String>,
    /// What must, or must not, be shown.
    pub prompt: Prompt,
    /// Seconds since the user last proved the factors.
    pub max_age: Option<u64>,
    /// Classes wished for, in order of preference.
    pub acr_values: Vec<String>,
    /// Claims wished for one by one.
    pub claims: ClaimsRequest,
    /// The name to fill in.
    pub login_hint: Option<String>,
    /// The `sub` that must be the one signed in, from a verified `id_token_hint`.
    pub expected_sub: Option<String>,
    /// Languages wished for that exist here, in order of preference.
    pub ui_locales: Vec<Locale>,
}

/// The `prompt` parameter (OpenID Connect Core §3.1.2.1). Unknown words are ignored.
#[expect(clippy::struct_excessive_bools, reason = "the parameter is a set of four words")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prompt {
    /// Show nothing at all; stands alone.
    pub none: bool,
    /// Prove the factors again.
    pub login: bool,
    /// Ask for consent again.
    pub consent: bool,
    /// Let the user choose the account.
    pub select_account: bool,
}

/// How the authorization response travels (OAuth 2.0 Multiple Response Type Encoding Practices, Form Post Response Mode).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResponseMode {
    /// In the query of a redirect.
    #[default]
    Query,
    /// In a form that the browser posts.
    FormPost,
}

impl ResponseMode {
    /// Every mode, by its name on the wire.
    pub const ALL: [(&'static str, Self); 2] = [("query", Self::Query), ("form_post", Self::FormPost)];
}

impl AuthorizationRequest {
    /// The lowest class that satisfies an essential `acr` of the `claims` parameter, if there is one (Core §5.5.1.1).
    pub fn essential_acr(&self) -> Option<Acr> {
        let wanted = self.claims.id_token.get("acr")?.as_ref().filter(|claim| claim.essential)?;
        let values = wanted.value.iter().chain(wanted.values.iter().flatten());
        values.filter_map(|value| value.as_str().and_then(Acr::parse)).min()
    }
}
