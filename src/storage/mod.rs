//! The store: SQLite by default, PostgreSQL for several nodes, one SQL text for both.
//!
//! [`Db`] hands out reads and takes writes; one file per aggregate holds the statements. These rules keep one text
//! valid for both databases: columns are `TEXT`, `BIGINT` and `BOOLEAN`; placeholders are `$1`; a row is claimed by a
//! conditional `UPDATE .. RETURNING`, several rows of one user by an update of the user's row ([`users::hold`]); there
//! are no explicit locks.
//!
//! **A write is a closure** over a [`Tx`]. It may be run again, so it must have no effect outside the transaction: no
//! hashing, no mail, no HTTP in it. Every decision is made by a *conditional statement* (or a unique index) that claims
//! the row before the closure relies on it: on PostgreSQL closures run concurrently at READ COMMITTED, where such a
//! statement waits for the row and evaluates its condition again. Why not SERIALIZABLE: there the losers of a race fail
//! and retry, so that 200 concurrent guesses at one counter would take 200 rounds; waiting for the row takes one.
//!
//! A statement whose result is not needed is queued and sent together with others (`queue!`; functions named `queue_…`); if it has to claim its
//! row and does not, the whole write is rolled back.
//!
//! Inner floors, lowest first; a file imports only lower ones:
//!
//! 1. `core`: connections, transactions, the writer, migrations
//! 2. `tables`: the statements, one file for each aggregate
//! 3. `caches`: what nodes remember of rows that rarely change
//!
//! Not part of the crate's interface: it is public only for the project's own tests.

#[macro_use]
mod core;
mod caches;
mod tables;

pub use self::core::{
    Db, Error, Mark, PoolMetrics, Reader, Result, StoreMetrics, Tx, WriteFn, WriterMetrics,
};
pub use caches::{Catalogue, GrantCache};
pub use tables::*;
