//! What OpenID Connect and OAuth look like on the wire. Never renders a page, knows no factor.
//!
//! Reading order: `routes`, then `authorize` (the first leg), `token` (the second), `userinfo` (what the token opens).

mod access_token;
mod authority;
pub(crate) mod authorize;
pub(crate) mod bearer;
mod claims;
mod client_auth;
mod discovery;
mod error;
mod id_token;
mod id_token_hint;
mod introspect;
mod jwks;
pub(crate) mod logout;
mod own_claims;
pub(crate) mod par;
pub(crate) mod parameters;
mod request_object;
mod resource;
mod response_jwt;
mod revoke;
mod routes;
mod subject;
#[cfg(test)]
mod tests;
mod token;
mod userinfo;

pub(crate) use routes::{inserted_routes, routes};
