//! All scopes of a provider: the standard ones, those of its own APIs, the host's, and the installation's own.

use std::sync::Arc;

use crate::domain::audience::Audience;
use crate::domain::own_scopes::OwnScopes;
use crate::domain::scope::{self, Scope};
use crate::ext::OwnClaims;

/// The scopes as of one revision of the catalogue.
pub(crate) struct Scopes<'a> {
    host: &'a [OwnClaims],
    own: Arc<OwnScopes>,
}

impl<'a> Scopes<'a> {
    /// Combines the provider's scopes with the host's and the installation's own.
    pub(crate) const fn new(host: &'a [OwnClaims], own: Arc<OwnScopes>) -> Self {
        Self { host, own }
    }

    /// The installation's own scopes and APIs.
    pub(crate) fn own(&self) -> &OwnScopes {
        &self.own
    }

    /// Every scope in the order in which discovery lists them.
    pub(crate) fn all(&self) -> Vec<&str> {
        let mut all: Vec<&str> = scope::SUPPORTED.into_iter().chain(scope::RESERVED).collect();
        let host = self.host.iter().map(|own| own.scope.as_str());
        for word in host.chain(self.own.scopes.iter().map(|own| own.name.as_str())) {
            if !all.contains(&word) {
                all.push(word);
            }
        }
        all
    }

    /// The granted scopes that a token for this audience may contain: those that still exist, and an API's scope only
    /// if that API is in the audience (RFC 8707 §2.2).
    pub(crate) fn in_token(&self, granted: &Scope, audience: &Audience) -> Scope {
        let all = self.all();
        let fitting = self.own.narrowed(granted, audience);
        fitting.iter().filter(|word| all.contains(word)).map(str::to_owned).collect()
    }

    /// Returns whether a scope needs a user: all do but own ones that deliver no claims, and words that only a client's
    /// registration defines.
    pub(crate) fn is_about_user(&self, word: &str) -> bool {
        scope::SUPPORTED.contains(&word)
            || scope::RESERVED.contains(&word)
            || self.host.iter().any(|own| own.scope == word)
            || self.own.scope(word).is_some_and(|own| !own.claims.is_empty())
    }
}
