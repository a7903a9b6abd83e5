//! The store's metrics as plain numbers, independent of their presentation.

use crate::domain::histogram::Readings;

/// The store's metrics since the start, as of now.
#[derive(Clone, Debug)]
pub struct StoreMetrics {
    /// Statements run, without BEGIN and COMMIT.
    pub statements: u64,
    /// Write closures accepted.
    pub writes: u64,
    /// The connection pool; on SQLite that of the readers.
    pub pool: PoolMetrics,
    /// SQLite's single writer; `None` on PostgreSQL, where each closure has its own commit.
    pub writer: Option<WriterMetrics>,
}

/// The use of a connection pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolMetrics {
    /// Maximum number of connections.
    pub most: usize,
    /// Connections in use.
    pub in_use: usize,
    /// Times that a caller had to wait for a connection.
    pub waits: u64,
    /// Waits that timed out.
    pub refused: u64,
}

/// The use of SQLite's writer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WriterMetrics {
    /// Closures in the queue.
    pub waiting: usize,
    /// Closures per commit.
    pub commits: Readings,
}
