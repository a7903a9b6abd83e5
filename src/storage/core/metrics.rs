//! How the store is used, in plain numbers: whoever shows figures reads them here.

use crate::domain::histogram::Readings;

/// The store's figures since the start, as of now.
#[derive(Clone, Debug)]
pub struct Metrics {
    /// Statements run, other than BEGIN and COMMIT.
    pub statements: u64,
    /// Closures handed in to be written.
    pub writes: u64,
    /// The connections; on SQLite those that read.
    pub pool: PoolMetrics,
    /// SQLite's one writer; on PostgreSQL each closure has a commit of its own.
    pub writer: Option<WriterMetrics>,
}

/// How a pool of connections is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolMetrics {
    /// How many there may be.
    pub most: usize,
    /// How many are lent.
    pub in_use: usize,
    /// How often somebody had to wait for one.
    pub waits: u64,
    /// How often that was in vain.
    pub refused: u64,
}

/// How SQLite's writer is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WriterMetrics {
    /// How many closures wait.
    pub waiting: usize,
    /// How many closures shared each commit.
    pub commits: Readings,
}
