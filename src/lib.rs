//! **Vestibule**: an embeddable OpenID Connect identity provider, one axum router or one binary.

mod crypto;
pub mod domain;
mod interaction;
pub mod ext;
mod protocol;
pub mod views;
