//! Assembles the provider: builder, route table, declarative set-up, background tasks; and the parts of the binary:
//! settings, command line, listener, demo.

pub(crate) mod apply;
mod builder;
#[cfg(feature = "server")]
pub mod cli;
#[cfg(feature = "server")]
mod config;
mod delivery;
#[cfg(feature = "server")]
mod demo;
#[cfg(feature = "server")]
mod failure;
#[cfg(feature = "server")]
mod health;
#[cfg(feature = "server")]
mod listen;
mod logout_lane;
#[cfg(feature = "server")]
mod metrics;
mod relying_parties;
mod router;
mod sealing;
mod tasks;
#[cfg(feature = "server")]
mod telemetry;

pub use apply::{Applied, ApplyError};
pub use builder::{BuildError, IdpBuilder};
