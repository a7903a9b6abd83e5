//! The database itself: connections, transactions, the writer, migrations. It names no table but its own.

#[macro_use]
pub(in crate::storage) mod tx;

pub(in crate::storage) mod db;
pub(in crate::storage) mod error;
pub(in crate::storage) mod json;
mod listener;
mod metrics;
mod migrate;
pub(in crate::storage) mod pool;
mod postgres;
pub(in crate::storage) mod progress;
pub(in crate::storage) mod queue;
pub(in crate::storage) mod revision;
mod writer;

pub use db::{Db, Reader, WriteFn};
pub use error::{Error, Result};
pub use metrics::{Metrics, PoolMetrics, WriterMetrics};
pub use progress::Mark;
pub use tx::Tx;
