//! **Vestibule**: an embeddable OpenID Connect identity provider, one axum router or one binary.

mod account;
mod crypto;
pub mod domain;
pub mod ext;
mod http;
mod i18n;
mod interaction;
mod protocol;
#[doc(hidden)]
pub mod server;
#[doc(hidden)]
pub mod storage;
pub mod testing;
pub mod views;

pub use http::{Access, Idp, RouteInfo};
pub use server::{Applied, ApplyError, BuildError, IdpBuilder};
