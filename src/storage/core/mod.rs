//! The database itself: connections, transactions, the writer, migrations. It names no table but its own.

#[macro_use]
pub(in crate::storage) mod tx;

mod counters;
pub(in crate::storage) mod db;
pub(in crate::storage) mod error;
pub(in crate::storage) mod json;
mod listener;
mod metrics;
mod migrate;
pub(in crate::storage) mod patience;
pub(in crate::storage) mod pool;
mod postgres;
pub(in crate::storage) mod progress;
pub(in crate::storage) mod queue;
pub(in crate::storage) mod revision;
mod writer;

pub use db::{Db, Reader};
pub use error::{Error, Result};
pub use metrics::{PoolMetrics, StoreMetrics, WriterMetrics};
pub use progress::Mark;
pub use tx::{Tx, WriteFn};
