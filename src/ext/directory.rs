//! The host's own user store: who its people are, and whether a password is theirs.
//!
//! Second factors, consent, sessions and everything that was given out stay the provider's, and so do the budgets for
//! guesses. For that each person has a row of the provider's too, made at the first sign-in, under a `sub` of its own.
//!
//! Why a directory answers for whole tenants, and alone: two places that know one person's password are one too many,
//! for whoever is locked out of one would go through the other. Per tenant, and not for the whole provider, because a
//! host's own people and its customers' are rarely in one store.

use futures_util::future::BoxFuture;

use super::Unavailable;
use crate::domain::claims::Profile;
use crate::domain::ids::DirectoryKey;
use crate::domain::tenant::TenantDomain;
use crate::domain::user::{Role, Username};

/// A person as the host knows them now.
#[derive(Clone, Debug, PartialEq)]
pub struct DirectoryUser {
    /// What never changes and is never given to somebody else, such as the row's id. The name may do both.
    pub key: DirectoryKey,
    /// The name they sign in with.
    pub username: Username,
    /// Who is disabled cannot sign in, and what was issued to them stops working.
    pub disabled: bool,
    /// What they may do in the tenant.
    pub roles: Vec<Role>,
    /// The standard claims.
    pub profile: Profile,
}

impl DirectoryUser {
    /// A person with nothing but a name.
    pub fn new(key: impl Into<String>, username: Username) -> Self {
        let key = DirectoryKey::new(key);
        Self { key, username, disabled: false, roles: Vec::new(), profile: Profile::default() }
    }
}

/// Answers for the users of the tenants that it holds.
///
/// A call that takes longer than [`Settings::host_deadline`](crate::domain::settings::Settings::host_deadline), or
/// fails, is told to the browser or the client as 503 with `Retry-After`; nobody is signed in or out by it.
pub trait Directory: Send + Sync + 'static {
    /// Does it hold this tenant's users? Then nobody else answers for them: a password that the provider itself may
    /// have stored for one of them is not looked at.
    fn holds(&self, tenant: &TenantDomain) -> bool;

    /// The person of that name. Names differ in case and width: compare by [`Username::key`].
    fn find<'a>(
        &'a self,
        tenant: &'a TenantDomain,
        username: &'a Username,
    ) -> BoxFuture<'a, Result<Option<DirectoryUser>, Unavailable>>;

    /// Is this the person's password? It is asked with `None` for a name that nobody has, and should then take as long as
    /// otherwise and say no. How many tries there are is the provider's business.
    fn check_password<'a>(
        &'a self,
        tenant: &'a TenantDomain,
        key: Option<&'a DirectoryKey>,
        password: &'a str,
    ) -> BoxFuture<'a, Result<bool, Unavailable>>;

    /// The person with this key; asked whenever a token is refreshed, a session is relied on, or claims are read.
    fn by_key<'a>(
        &'a self,
        tenant: &'a TenantDomain,
        key: &'a DirectoryKey,
    ) -> BoxFuture<'a, Result<Option<DirectoryUser>, Unavailable>>;
}
