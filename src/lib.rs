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
mod audit;
mod crypto;
#[doc(hidden)]
pub mod domain;
pub mod ext;
mod http;
mod i18n;
mod interaction;
mod management;
pub mod notify;
mod oidc_client;
mod outbound;
mod protocol;
mod provider;
#[doc(hidden)]
pub mod rp;
#[doc(hidden)]
pub mod server;
#[doc(hidden)]
pub mod storage;
pub mod testing;
mod upstream;
pub mod views;

pub use account::delivery::SendOutcome;

// The settings and what they hold.
pub use domain::contact::Country;
pub use domain::issuer::IssuerUrl;
pub use domain::outbound::{AllowedHost, Outbound};
pub use domain::settings::{AuditRetention, PasswordCost, Settings, SmsLimits};
// The types in the signatures of `ext`, and in those of `Idp`.
pub use domain::claims::{PostalAddress, Profile};
pub use domain::client::SigningAlgorithm;
pub use domain::contact::{EmailAddress, PhoneNumber};
pub use domain::event::{Event, LoginFailure, ResetOutcome, UpstreamFailure};
pub use domain::ids::{ClientId, DirectoryKey, IssuerId, MessageId, Reference, TenantId, UserId};
pub use domain::message::{Channel, Delivery};
pub use domain::scope::Scope;
pub use domain::tenant::TenantDomain;
pub use domain::time::Time;
pub use domain::upstream::Slug;
pub use domain::user::{Role, User, Username};
// The types that pages hold: what a theme renders.
pub use domain::authenticator::{Method, PinPosition};
pub use domain::branding::{Accent, Logo};
pub use domain::locale::Locale;
pub use domain::own_scopes::Title;
pub use domain::password::{PasswordFault, PasswordRules};
pub use domain::zone::Zone;

pub use http::{Access, BearerGuard, RouteInfo};
pub use management::{Invitation, InviteError, SupportAction, SupportError, SupportOutcome};
pub use provider::{
    HashLoad, Idp, KeyStatus, KeysFailed, Metrics, ResponseCount, Rotated, Rotation, SendFailed,
};
pub use server::{Applied, ApplyError, BuildError, IdpBuilder};
pub use storage::audit::Placed;
pub use storage::keys::KeyState;
pub use storage::{PoolMetrics, StoreMetrics, WriterMetrics};
