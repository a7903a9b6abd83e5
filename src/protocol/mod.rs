//! What OpenID Connect and OAuth look like on the wire. Never renders a page, knows no factor.

pub(crate) mod authorize;
pub(crate) mod parameters;
