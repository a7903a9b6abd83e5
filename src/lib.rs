//! **Vestibule**: an embeddable OpenID Connect identity provider, one axum router or one binary. It holds the users, it
//! shows the login pages, and any certified relying-party library works with it from the discovery URL alone.
//!
//! A host application mounts it like this (`examples/embed.rs`):
//!
//! ```no_run
#![doc = include_str!("../examples/embed.rs")]
//! ```
//!
//! Tenants, users and clients come in by [`Idp::apply`]; tests sign users in without a network by [`testing::TestIdp`].

mod account;
mod api;
mod crypto;
pub mod domain;
pub mod ext;
mod http;
mod i18n;
mod interaction;
pub mod notify;
mod outbound;
mod protocol;
mod provider;
#[doc(hidden)]
pub mod server;
#[doc(hidden)]
pub mod storage;
pub mod testing;
mod upstream;
pub mod views;

pub use account::delivery::SendOutcome;
pub use account::linking::{Invitation, InviteError};
pub use http::{Access, RouteInfo};
pub use provider::{
    HashLoad, Idp, KeyStatus, KeysFailed, Metrics, ResponseCount, Rotated, Rotation, SendFailed,
};
pub use server::{Applied, ApplyError, BuildError, IdpBuilder, SupportAction, SupportError, SupportOutcome};
pub use storage::keys::KeyState;
pub use storage::{Metrics as StoreMetrics, PoolMetrics, WriterMetrics};
