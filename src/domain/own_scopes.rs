//! Scopes declared by the operator, and the APIs that they belong to.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::audience::{Audience, ResourceIndicator};
use super::locale::Locale;
use super::scope::Scope;

/// A scope declared by the operator.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OwnScope {
    /// The scope value, for example `orders:read`.
    pub name: String,
    /// Its text on the consent page, which continues “Shop would like to:”.
    pub title: Title,
    /// The claims it gives access to: standard ones, the provider's, the host's.
    pub claims: BTreeSet<String>,
}

/// A text in the languages of the pages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Title {
    /// English, which is also the fallback.
    pub en: String,
    /// German
    #[serde(skip_serializing_if = "Option::is_none")]
    pub de: Option<String>,
    /// French
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fr: Option<String>,
}

impl Title {
    /// The text in this language.
    pub fn text(&self, locale: Locale) -> &str {
        let other = match locale {
            Locale::En => None,
            Locale::De => self.de.as_deref(),
            Locale::Fr => self.fr.as_deref(),
        };
        other.unwrap_or(&self.en)
    }
}

/// An API that accepts access tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Api {
    /// Its identifier in `resource` and `aud`.
    pub audience: ResourceIndicator,
    /// The `typ` of its JWT access tokens.
    pub typ: AccessTokenTyp,
    /// The own scopes that only tokens for this API may contain.
    pub scopes: Scope,
}

/// The `typ` header of JWT access tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum AccessTokenTyp {
    /// RFC 9068 §2.1: distinguishes access tokens from other JWTs.
    #[default]
    #[serde(rename = "at+jwt")]
    AtJwt,
    /// For decoders that support no other. Such an API must recognise ID tokens by `aud` and `client_id`.
    #[serde(rename = "JWT")]
    Jwt,
}

impl AccessTokenTyp {
    /// The values on the wire.
    pub const NAMES: [&'static str; 2] = [Self::AtJwt.as_str(), Self::Jwt.as_str()];

    /// The value on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AtJwt => "at+jwt",
            Self::Jwt => "JWT",
        }
    }
}

/// All own scopes and APIs of the installation, each sorted by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnScopes {
    /// The scopes.
    pub scopes: Vec<OwnScope>,
    /// The APIs.
    pub apis: Vec<Api>,
}

impl OwnScopes {
    /// The own scope with this name.
    pub fn scope(&self, word: &str) -> Option<&OwnScope> {
        self.scopes.iter().find(|own| own.name == word)
    }

    /// The API with this audience.
    pub fn api(&self, audience: &str) -> Option<&Api> {
        self.apis.iter().find(|api| api.audience.as_str() == audience)
    }

    /// The claims of the own scopes in this set.
    pub fn claims_of(&self, scope: &Scope) -> BTreeSet<&str> {
        let granted = self.scopes.iter().filter(|own| scope.contains(&own.name));
        granted.flat_map(|own| own.claims.iter().map(String::as_str)).collect()
    }

    /// Returns whether tokens for this audience may contain the word: an API's scope needs one of its APIs in the
    /// audience.
    pub fn fits(&self, word: &str, audience: &Audience) -> bool {
        let mut owners = self.owners(word).peekable();
        owners.peek().is_none() || owners.any(|api| audience.contains(api.audience.as_str()))
    }

    /// The words that a token for this audience may contain (RFC 8707 §2.2).
    #[must_use]
    pub fn narrowed(&self, scope: &Scope, audience: &Audience) -> Scope {
        scope.iter().filter(|word| self.fits(word, audience)).map(str::to_owned).collect()
    }

    /// The words that belong to an API.
    #[must_use]
    pub fn of_apis(&self, scope: &Scope) -> Scope {
        scope.iter().filter(|word| self.owners(word).next().is_some()).map(str::to_owned).collect()
    }

    /// The `typ` of a token for this audience: `JWT` if one of its APIs supports no other.
    pub fn typ(&self, audience: &Audience) -> AccessTokenTyp {
        let meant = self.apis.iter().filter(|api| audience.contains(api.audience.as_str()));
        let plain = meant.map(|api| api.typ).find(|typ| *typ == AccessTokenTyp::Jwt);
        plain.unwrap_or_default()
    }

    fn owners(&self, word: &str) -> impl Iterator<Item = &Api> {
        self.apis.iter().filter(move |api| api.scopes.contains(word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_apis_scope_is_for_its_tokens_only() {
        let api = |name: &str, typ, scopes: &str| Api {
            audience: ResourceIndicator::parse(name).unwrap(),
            typ,
            scopes: Scope::parse(scopes),
        };
        let own = OwnScopes {
            scopes: Vec::new(),
            apis: vec![
                api("https://a.test", AccessTokenTyp::AtJwt, "read write"),
                api("https://b.test", AccessTokenTyp::Jwt, "read"),
            ],
        };
        let all = Scope::parse("openid read team write");
        for (audience, expected, typ) in [
            (vec![], "openid team", AccessTokenTyp::AtJwt),
            (vec!["https://a.test"], "openid read team write", AccessTokenTyp::AtJwt),
            (vec!["https://b.test"], "openid read team", AccessTokenTyp::Jwt),
            (vec!["https://a.test", "https://b.test"], "openid read team write", AccessTokenTyp::Jwt),
            (vec!["https://c.test"], "openid team", AccessTokenTyp::AtJwt),
        ] {
            let names = audience.iter().map(|name| ResourceIndicator::parse(name).unwrap()).collect();
            assert_eq!(own.narrowed(&all, &names), Scope::parse(expected), "{audience:?}");
            assert_eq!(own.typ(&names), typ, "{audience:?}");
        }
        assert_eq!(own.of_apis(&all), Scope::parse("read write"));
    }

    #[test]
    fn a_language_without_a_text_gets_the_english_one() {
        let title = Title { en: "See".to_owned(), de: Some("Sehen".to_owned()), fr: None };
        assert_eq!(Locale::ALL.map(|locale| title.text(locale)), ["See", "Sehen", "See"]);
    }
}
