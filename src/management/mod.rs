//! What a valid tenant, user, group, scope, API, client, authenticator, passkey, password, upstream provider and
//! reseller is, and how each is changed. Every caller changes them through this room.
//!
//! A caller hands over named values as JSON, whatever format they arrived in, and gets a [`Change`] or every mistake:
//!
//! ```text
//! let members = Members::read(&tenants::SCHEMA, &value);        // checks each member by itself
//! let mut set = idp.management().change_set().await?;           // what is written in one transaction
//! match tenants::validate(&mut set, &members).await {           // checks it against the store, hashes and seals
//!     Ok(change) => db.write(|tx| change.apply(tx)).await?,     // writes what differs, and nothing else
//!     Err(Error::Mistakes(mistakes)) => …                       // each names its member: `policy.session_idle`
//!     Err(failed) => …
//! }
//! ```
//!
//! - Members that are not named stay as they are; `null` counts as not named, and an empty text removes a member.
//!   `state = "absent"` removes the thing itself.
//! - Things that are written together share a [`ChangeSet`]: each is validated as if those before it were written, so a
//!   user may name a tenant of the same set. [`ChangeSet::check_removals`] comes after the last one.
//! - Members equal to what is stored give a change of the kind [`ChangeKind::Nothing`].
//! - A [`Mistake`] names the member, not where it came from; a caller that reads a document adds the place.
//!
//! Callers are `apply`, the administration API, dynamic registration (RFC 7591) and hosts' code. Nothing here knows a
//! document, a file or HTTP. What users do to their own credentials is the work of `account`.
//!
//! Inner floors: `values`, `mistakes`; `members`, `error`; `change`, `context`; `change_set`; `validation`; then one
//! module for each kind of thing; `removals`.

pub(crate) mod apis;
pub(crate) mod authenticators;
mod change;
mod change_set;
pub(crate) mod clients;
mod context;
mod error;
pub(crate) mod groups;
mod invitations;
pub(crate) mod members;
mod mistakes;
pub(crate) mod own_scopes;
pub(crate) mod passkeys;
mod passwords;
mod removals;
pub(crate) mod resellers;
mod scopes;
mod stored;
mod support;
pub(crate) mod tenants;
#[cfg(test)]
mod tests;
pub(crate) mod upstreams;
pub(crate) mod users;
mod validation;
pub(crate) mod values;

pub(crate) use change::{Change, ChangeKind};
pub(crate) use change_set::ChangeSet;
pub(crate) use context::Management;
pub(crate) use error::Error;
pub use invitations::{Invitation, InviteError};
pub(crate) use members::Members;
pub(crate) use mistakes::Mistake;
pub(crate) use scopes::Scopes;
pub(crate) use support::SupportFailure;
pub use support::{SupportAction, SupportError, SupportOutcome};
