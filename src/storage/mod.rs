//! The store: SQLite by default, PostgreSQL for several nodes, one SQL text for both.
//!
//! [`Db`] hands out reads and takes writes, one file per aggregate holds the statements. What keeps one text valid for
//! both databases: columns are `TEXT`, `BIGINT` and `BOOLEAN`; placeholders are `$1`; rows are claimed by a conditional
//! `UPDATE .. RETURNING`, several of one user's by an update of the user's own ([`users::hold`]), and nothing is ever
//! locked by hand.
//!
//! **A write is a closure** over a [`Tx`]. It may be run again, so it must have no effect outside the transaction:
//! no hashing, no mail, no HTTP in it. Whatever it decides, it decides by a *conditional statement* (or a unique index)
//! that claims the row, and it does so before it relies on it: on PostgreSQL closures run side by side at READ COMMITTED,
//! where such a statement waits for the row and then looks again. Why not SERIALIZABLE: there the losers of a race fail
//! and start over, so that 200 guesses at one counter would take 200 rounds; a queue on the row takes one.
//!
//! A statement whose answer nobody needs waits for others and goes with them (`queue!`); where it has to claim its row, the
//! whole write is undone if it came too late.
//!
//! Not part of the crate's interface: it is only reachable for the project's own tests.

#[macro_use]
mod core;
mod caches;
mod tables;

pub use self::core::{Db, Error, Mark, Metrics, PoolMetrics, Reader, Result, Tx, WriteFn, WriterMetrics};
pub use caches::{Catalogue, GrantCache};
pub use tables::*;
