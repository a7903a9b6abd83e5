//! The host's own claims: what the host knows about a user beyond the standard profile.

use std::collections::BTreeSet;

use futures_util::future::BoxFuture;
use serde_json::{Map, Value};

use super::Unavailable;
use crate::domain::ids::ClientId;
use crate::domain::scope::Scope;
use crate::domain::user::User;

/// Some claims, and the scope that a client must have been granted for them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnClaims {
    /// A scope of the host's own, or a standard one such as `profile`.
    pub scope: String,
    /// The claims, by their names.
    pub names: BTreeSet<String>,
    /// Whether the ID token carries them too; UserInfo always does.
    pub in_id_token: bool,
}

/// Tells claims of the host's own.
///
/// It can add, not replace: the provider's own claims and the standard profile are refused when the provider is built,
/// and of what it answers only the claims count that it declared for a granted scope.
pub trait ClaimSource: Send + Sync + 'static {
    /// What there is; asked once, when the provider is built, and advertised by discovery.
    fn declared(&self) -> Vec<OwnClaims>;

    /// The claims of this user for this client. A claim that the user does not have is left out.
    fn claims<'a>(
        &'a self,
        user: &'a User,
        client: &'a ClientId,
        granted: &'a Scope,
    ) -> BoxFuture<'a, Result<Map<String, Value>, Unavailable>>;
}

/// No claims of the host's own.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoClaims;

impl ClaimSource for NoClaims {
    fn declared(&self) -> Vec<OwnClaims> {
        Vec::new()
    }

    fn claims<'a>(
        &'a self,
        _: &'a User,
        _: &'a ClientId,
        _: &'a Scope,
    ) -> BoxFuture<'a, Result<Map<String, Value>, Unavailable>> {
        Box::pin(async { Ok(Map::new()) })
    }
}
