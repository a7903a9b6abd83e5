//! **Vestibule**: an embeddable OpenID Connect identity provider, one axum router or one binary.

mod crypto;
pub mod domain;
pub mod ext;
mod interaction;
mod protocol;
pub mod views;
