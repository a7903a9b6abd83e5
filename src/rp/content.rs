//! The sealed content of a session: the tokens of its user, and the secrets of what was begun.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::domain::time::Time;

/// The sealed part of a row.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct SessionContent {
    /// Sign-ins that were begun and not completed, the newest first.
    pub(super) pending: Vec<PendingSignIn>,
    /// The tokens of the user who is signed in.
    pub(super) user: Option<UserTokens>,
    /// The `state` of a sign-out that was begun.
    pub(super) signing_out: Option<String>,
}

/// The secrets of an authorization request, which its response must match.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct PendingSignIn {
    pub(super) state: String,
    pub(super) nonce: String,
    /// The PKCE verifier.
    pub(super) verifier: String,
}

/// The tokens of a user, as they are sealed in the session's row.
#[derive(Clone, Serialize, Deserialize)]
pub struct UserTokens {
    /// The ID token, verified.
    pub id_token: String,
    /// The access token.
    pub access_token: String,
    /// Its end, if the provider named one.
    pub access_expires_at: Option<Time>,
    /// The refresh token, if the provider gave one.
    pub refresh_token: Option<String>,
    /// The response of the UserInfo endpoint at the time of the sign-in.
    pub userinfo: Value,
}

/// Header and payload of a JWT. Its signature is not checked.
pub fn decoded(token: &str) -> Option<(Value, Value)> {
    let part = |part: &str| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok();
    let mut parts = token.split('.');
    Some((part(parts.next()?)?, part(parts.next()?)?))
}
