//! An authorization request as stored; `protocol` validates it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::acr::Acr;
use super::audience::Audience;
use super::claims::ClaimsRequest;
use super::ids::{ClientId, IssuerId};
use super::is_default;
use super::locale::Locale;
use super::scope::{self, Scope};
use super::time::Time;

/// The parameters of an authorization request (OpenID Connect Core §3.1.2.1, RFC 7636 §4.3).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuthorizationRequest {
    /// The issuer.
    pub issuer: IssuerId,
    /// The client.
    pub client: ClientId,
    /// The redirect URI as requested, already matched with a registered one.
    pub redirect_uri: String,
    /// The response mode.
    #[serde(default, skip_serializing_if = "is_default")]
    pub response_mode: ResponseMode,
    /// The requested scopes that exist and that the client may use.
    pub scope: Scope,
    /// The requested APIs that the client may use (RFC 8707 §2.1).
    #[serde(default, skip_serializing_if = "is_default")]
    pub resource: Audience,
    /// Returned byte for byte.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Copied into the ID token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    /// The PKCE challenge (S256); required of public clients.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code_challenge: Option<String>,
    /// The pages that must or must not be shown.
    #[serde(default, skip_serializing_if = "is_default")]
    pub prompt: Prompt,
    /// Maximum age of the factors in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_age: Option<u64>,
    /// Requested classes in order of preference.
    #[serde(default, skip_serializing_if = "is_default")]
    pub acr_values: Vec<String>,
    /// Claims requested individually.
    #[serde(default, skip_serializing_if = "is_default")]
    pub claims: ClaimsRequest,
    /// The user name to prefill.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub login_hint: Option<String>,
    /// The required `sub`, from a verified `id_token_hint`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected_sub: Option<String>,
    /// Requested languages that exist here, in order of preference.
    #[serde(default, skip_serializing_if = "is_default")]
    pub ui_locales: Vec<Locale>,
}

/// The `prompt` parameter (OpenID Connect Core §3.1.2.1). Unknown words are ignored.
#[expect(clippy::struct_excessive_bools, reason = "the parameter is a set of four words")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prompt {
    /// Show no page; excludes the others.
    pub none: bool,
    /// Prove the factors again.
    pub login: bool,
    /// Ask for consent again.
    pub consent: bool,
    /// Let the user choose the account.
    pub select_account: bool,
}

/// The response mode (OAuth 2.0 Multiple Response Type Encoding Practices, Form Post Response Mode).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResponseMode {
    /// In the query of a redirect.
    #[default]
    Query,
    /// In a form that the browser posts.
    FormPost,
}

impl AuthorizationRequest {
    /// A client's request without any parameter.
    pub fn blank(issuer: IssuerId, client: ClientId) -> Self {
        Self {
            issuer,
            client,
            redirect_uri: String::new(),
            response_mode: ResponseMode::Query,
            scope: Scope::default(),
            resource: Audience::default(),
            state: None,
            nonce: None,
            code_challenge: None,
            prompt: Prompt::default(),
            max_age: None,
            acr_values: Vec::new(),
            claims: ClaimsRequest::default(),
            login_hint: None,
            expected_sub: None,
            ui_locales: Vec::new(),
        }
    }

    /// The scopes that need consent: the requested ones, and those whose claims are requested individually.
    pub fn scope_to_allow(&self) -> Scope {
        let wanted = |name: &&str| {
            self.claims.userinfo.contains_key(*name) || self.claims.id_token.contains_key(*name)
        };
        let touched = scope::SUPPORTED.into_iter().filter(|word| scope::claims_of(word).iter().any(&wanted));
        self.scope.union(&touched.map(str::to_owned).collect())
    }

    /// The lowest class that satisfies an essential `acr` of the `claims` parameter, if there is one (Core §5.5.1.1).
    pub fn essential_acr(&self) -> Option<Acr> {
        self.essential_acr_values()?.into_iter().flatten().min()
    }

    /// The class to report for a login that reached `reached`. A client that demands two factors without naming
    /// passkeys gets the class that it demanded (Core §5.5.1.1), because it may not know another.
    pub fn acr_to_tell(&self, reached: Acr) -> Acr {
        let named = self.essential_acr_values().unwrap_or_default();
        let knows = |acr| named.contains(&Some(acr));
        if reached == Acr::PhishingResistant && knows(Acr::TwoFactors) && !knows(reached) {
            return Acr::TwoFactors;
        }
        reached
    }

    /// Returns whether it requests any class, as a requirement or preference.
    pub fn asks_for_acr(&self) -> bool {
        !self.acr_values.is_empty() || self.claims.id_token.contains_key("acr")
    }

    /// Returns whether every class of an essential `acr` is unknown here, so that no login can satisfy the request.
    pub fn demands_unknown_acr(&self) -> bool {
        self.essential_acr_values()
            .is_some_and(|values| !values.is_empty() && values.iter().all(Option::is_none))
    }

    /// The values of an essential `acr`; `None` for a class that is unknown here.
    fn essential_acr_values(&self) -> Option<Vec<Option<Acr>>> {
        let wanted = self.claims.id_token.get("acr")?.as_ref().filter(|claim| claim.essential)?;
        let values = wanted.value.iter().chain(wanted.values.iter().flatten());
        Some(values.map(|value| value.as_str().and_then(Acr::parse)).collect())
    }

    /// Returns whether every factor must be proved in this login. `max_age=0` means the same as `prompt=login`; a
    /// comparison of whole seconds could not exclude factors proved in the second of the request.
    pub fn is_fresh(&self) -> bool {
        self.prompt.login || self.max_age == Some(0)
    }

    /// The earliest time of a factor that meets `max_age`, counted back from the request. `None`: any time does;
    /// `max_age=0` is handled by [`Self::is_fresh`].
    pub fn young_since(&self, asked_at: Time) -> Option<Time> {
        let age = self.max_age.filter(|_| !self.is_fresh());
        age.map(|seconds| asked_at.minus(Duration::from_secs(seconds)))
    }
}

#[cfg(test)]
impl AuthorizationRequest {
    /// A plain request, for tests.
    pub(crate) fn sample() -> Self {
        Self {
            redirect_uri: "https://shop.test/cb".into(),
            scope: Scope::parse("openid"),
            ..Self::blank(IssuerId::new("root"), ClientId::new("shop"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_asked_for_alone_needs_the_consent_to_its_scope() {
        let mut request = AuthorizationRequest::sample();
        assert_eq!(request.scope_to_allow(), request.scope);
        request.claims.userinfo.insert("email".to_owned(), None);
        request.claims.id_token.insert("acr".to_owned(), None);
        assert_eq!(request.scope_to_allow(), Scope::parse("openid email"));
    }
}
