//! Putting it together: the builder, the table of contents of routes, declarative set-up, background work; and what
//! the binary adds: settings, command line, demo.

pub(crate) mod apply;
mod builder;
mod router;
mod tasks;

pub use apply::{Applied, ApplyError};
pub use builder::{BuildError, IdpBuilder};
