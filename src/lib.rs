//! **Vestibule**: an embeddable OpenID Connect identity provider, one axum router or one binary.

pub mod domain;
mod interaction;
mod protocol;
pub mod views;
