//! What every client of an OpenID provider needs: metadata and keys, the redemption of a code, the checks of an ID token.
//!
//! Shared by `upstream`, which signs users in elsewhere, and `rp`, the provider's own relying parties. The checks are
//! those of Core §3.1.3.7 and §3.1.3.8, made with the crate `openidconnect`: issuer, audience, authorized party, nonce,
//! expiry, signature and access-token hash; besides the `iss` of the authorization response (RFC 9207) and PKCE. The
//! algorithm is the one that the registration names, or a signature that the provider's own metadata names: never `none`,
//! and an HMAC only where the registration says so.
//!
//! Why it stands one floor above `outbound` and not beside it: it fetches through `outbound`, and rooms of one floor do not
//! import each other. It needs nothing of `crypto`.

mod client;
mod error;
mod http;
mod metadata;
mod redeem;
mod verify;

pub(crate) use self::client::{ClientRegistration, OidcClient};
pub(crate) use self::error::ProviderError;
pub(crate) use self::http::HttpClient;
pub(crate) use self::metadata::MetadataCache;
pub(crate) use self::redeem::CallbackParameters;
