//! Claims of the host's own: data about a user beyond the standard profile.

use std::collections::BTreeSet;

use futures_util::future::BoxFuture;
use serde_json::{Map, Value};

use super::Unavailable;
use crate::domain::ids::ClientId;
use crate::domain::scope::Scope;
use crate::domain::user::User;

/// Claims and the scope that gives access to them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnClaims {
    /// A scope of the host's own, or a standard one such as `profile`.
    pub scope: String,
    /// The names of the claims.
    pub names: BTreeSet<String>,
    /// Whether the ID token contains them; UserInfo always does.
    pub in_id_token: bool,
}

/// Provides claims of the host's own.
///
/// It can add claims, not replace any: names of the provider's own claims and of the standard profile are rejected when
/// the provider is built, and of the returned claims only those are used that were declared for a granted scope.
pub trait ClaimSource: Send + Sync + 'static {
    /// The declared claims; called once, when the provider is built, and published by discovery.
    fn declared(&self) -> Vec<OwnClaims>;

    /// The claims of this user for this client. Claims that the user does not have are left out.
    fn claims<'a>(
        &'a self,
        user: &'a User,
        client: &'a ClientId,
        granted: &'a Scope,
    ) -> BoxFuture<'a, Result<Map<String, Value>, Unavailable>>;
}

/// The default: no claims of the host's own.
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
