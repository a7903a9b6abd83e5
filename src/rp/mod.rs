//! A relying party of the provider: signs browsers in and out as any third-party application does, and calls the APIs.
//!
//! It is what portals and administration stand on: they are given a [`Session`] and no other handle. A relying party has
//! no access to the running provider. It is handed a [`Handle`] of exactly four things, and knows the provider by its
//! issuer identifier alone, so it works the same in the provider's process (`Handle::in_process`) and in another one
//! (`Handle::over_network`, which the demo's application uses).
//!
//! Sessions are rows of its own: the cookie is stored as a hash, tokens are sealed in the row. So any node finds a session,
//! and a logout token ([`RelyingParty::back_channel_logout`]) ends it on all of them.
//!
//! Not part of the crate's interface: it is reachable for the rooms above and for the project's own tests.

mod api;
mod back_channel;
mod client;
mod content;
mod error;
#[cfg(feature = "server")]
mod network;
mod refresh;
mod rows;
mod session;
mod sign_in;
mod sign_out;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use openidconnect::AuthType;

pub use self::api::{AccountSession, SessionApplication};
pub use self::content::{UserTokens, decoded};
pub use self::error::RpError;
pub use self::session::Session;
pub use self::sign_in::SignInResponse;
use crate::crypto::seal::Sealer;
use crate::ext::Clock;
use crate::oidc_client::{ClientRegistration, HttpClient, MetadataCache};
use crate::storage::Db;

/// Everything that a relying party may touch: its session rows, the sealer of their tokens, the clock, an HTTP client.
#[derive(Clone)]
pub struct Handle {
    db: Db,
    sealer: Arc<Sealer>,
    clock: Arc<dyn Clock>,
    http: HttpClient,
}

impl Handle {
    /// For a relying party that calls the provider's router in the same process, without sockets.
    pub(crate) fn in_process(db: Db, sealer: Arc<Sealer>, clock: Arc<dyn Clock>, router: Router) -> Self {
        Self { db, sealer, clock, http: HttpClient::InProcess(router) }
    }
}

/// The registration of a relying party at the provider.
pub struct RpSettings {
    /// The issuer identifier of the provider.
    pub issuer: String,
    /// The name of the relying party there.
    pub client_id: String,
    /// Sent as `client_secret_basic`.
    pub client_secret: String,
    /// The address that the provider sends browsers back to.
    pub redirect_uri: String,
    /// The address that the provider sends browsers to after a sign-out.
    pub post_logout_redirect_uri: String,
    /// Requested besides `openid`.
    pub scopes: Vec<String>,
    /// The time from sign-in to the end of a session.
    pub session_lifetime: Duration,
}

/// A relying party. It has no state of its own beyond a cache of the provider's metadata.
pub struct RelyingParty {
    handle: Handle,
    registration: ClientRegistration,
    post_logout_redirect_uri: String,
    scopes: Vec<String>,
    session_lifetime: Duration,
    metadata: MetadataCache,
}

impl RelyingParty {
    /// A relying party with this registration.
    pub fn new(handle: Handle, settings: RpSettings) -> Self {
        Self {
            handle,
            registration: ClientRegistration {
                issuer: settings.issuer,
                client_id: settings.client_id,
                secret: Some(settings.client_secret.into()),
                auth_type: AuthType::BasicAuth,
                redirect_uri: settings.redirect_uri,
                id_token_alg: None,
            },
            post_logout_redirect_uri: settings.post_logout_redirect_uri,
            scopes: settings.scopes,
            session_lifetime: settings.session_lifetime,
            metadata: MetadataCache::new(),
        }
    }

    /// The issuer identifier of the provider.
    pub fn issuer(&self) -> &str {
        &self.registration.issuer
    }
}
