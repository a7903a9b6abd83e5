//! The vocabulary and rules of the provider: pure types and functions without clock, network or queries.
//!
//! Every other module imports from here, and this module imports from none. A type whose name promises a property
//! (`RedirectUri`, `TenantDomain`, `IssuerUrl`) can only be constructed by the function that checks it.

pub(crate) mod access_token;
pub mod acr;
pub mod audience;
pub mod audit;
pub mod authenticator;
pub mod branding;
pub mod ceremony;
pub mod claims;
pub mod client;
pub mod contact;
pub mod credential_change;
pub mod epoch;
pub mod error;
pub mod event;
pub mod fact;
pub mod form;
pub mod grant;
pub mod group;
pub(crate) mod header;
pub mod histogram;
pub mod ids;
pub mod interaction;
pub mod issuer;
pub mod locale;
pub mod logout;
pub mod loopback;
pub mod message;
pub mod outbound;
pub mod own_scopes;
pub mod passkey;
pub mod password;
pub mod policy;
pub mod redirect_uri;
pub mod registered_claims;
pub mod request;
pub(crate) mod reserved_names;
pub mod reset;
pub mod scope;
pub mod session;
pub mod settings;
pub mod span;
pub mod tenant;
pub mod time;
pub mod trusted_browser;
pub(crate) mod typed;
pub mod upstream;
pub mod user;
pub mod user_agent;
mod username;
pub mod zone;

/// Returns whether the value is the default; stored JSON leaves such members out.
pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
