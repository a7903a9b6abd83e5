//! **Vestibule**: an embeddable OpenID Connect identity provider, one axum router or one binary.

mod account;
mod crypto;
pub mod domain;
pub mod ext;
pub mod http;
mod i18n;
mod interaction;
mod protocol;
#[doc(hidden)]
pub mod storage;
pub mod views;
