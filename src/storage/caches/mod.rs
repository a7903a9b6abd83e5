//! Rows that a node keeps in memory and checks against a revision: the catalogue and the grants of access tokens.

mod catalogue;
mod grants;
mod looks;

pub use catalogue::Catalogue;
pub use grants::GrantCache;
