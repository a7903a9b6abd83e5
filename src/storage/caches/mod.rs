//! In-memory caches of rows, validated against a revision or version: the catalogue and the grants of access tokens.

mod catalogue;
mod grants;
mod looks;

pub use catalogue::Catalogue;
pub use grants::GrantCache;
