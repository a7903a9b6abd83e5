//! What every endpoint needs, whatever it does: the shared handle, the issuer asked, cookies, headers, limits.

mod address;
mod cookies;
mod csrf;
mod documents;
mod error;
mod issuer;
mod keyring;
mod language;
mod reply;
mod route;
mod state;

pub(crate) use address::ClientAddress;
pub(crate) use cookies::Cookies;
pub(crate) use csrf::{form_token, is_foreign_post, is_form_token};
pub(crate) use documents::{Document, Documents};
pub(crate) use error::Internal;
pub(crate) use issuer::CurrentIssuer;
pub(crate) use keyring::Keyring;
pub(crate) use reply::{ContentSecurity, page, secure};
pub use route::RouteInfo;
pub use route::Access;
pub(crate) use route::Route;
pub use state::Idp;
pub(crate) use state::Parts;
