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
//! A statement whose answer nobody needs waits for others and goes with them (`later!`); where it has to claim its row, the
//! whole write is undone if it came too late.
//!
//! Not part of the crate's interface: it is only reachable for the project's own tests.

#![expect(
    clippy::unused_async,
    reason = "which statements wait for others is this room's business: all are awaited"
)]

#[macro_use]
mod tx;

pub mod access_tokens;
pub mod assertions;
pub mod attempts;
pub mod authenticators;
mod catalogue;
pub mod clients;
pub mod codes;
pub mod consents;
mod db;
pub mod delivered_codes;
pub mod departures;
mod epochs;
mod error;
mod figures;
pub mod grants;
mod grounds;
pub mod groups;
pub mod imported_passwords;
pub mod interactions;
pub mod issuers;
mod json;
pub mod keys;
pub mod known_browsers;
pub mod link_invitations;
mod looks;
mod migrate;
pub mod outbox;
pub mod own_scopes;
pub mod passkeys;
mod pool;
mod postgres;
mod progress;
pub mod pushed_requests;
mod queue;
pub mod recovery_codes;
pub mod refresh_tokens;
pub mod resellers;
pub mod reset_requests;
pub mod resets;
mod revision;
pub mod revoked_tokens;
pub mod salts;
pub mod sessions;
pub mod sweep;
pub mod tenants;
pub mod trusted_browsers;
pub mod upstream_accounts;
pub mod upstreams;
pub mod username_keys;
pub mod users;
pub mod wrapped_keys;
mod writer;

pub use catalogue::Catalogue;
pub use db::{Db, Reader, Work};
pub use error::{Error, Result};
pub use figures::{Figures, PoolFigures, WriterFigures};
pub use grounds::Grounds;
pub use progress::Mark;
pub use tx::Tx;
