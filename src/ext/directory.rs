//! The host's own user store: it looks up users and checks passwords.
//!
//! Second factors, consent, sessions, issued tokens and attempt limits stay with the provider. For these each user has
//! a row of the provider's too, created at the first sign-in, with a `sub` of its own.
//!
//! Why a directory is responsible for whole tenants, exclusively: if two stores had a password of one user, a lock in
//! one of them could be bypassed through the other. Per tenant, and not for the whole provider, because a host's own
//! users and its customers' users are rarely in one store.

use futures_util::future::BoxFuture;

use super::Unavailable;
use crate::domain::claims::Profile;
use crate::domain::ids::DirectoryKey;
use crate::domain::tenant::TenantDomain;
use crate::domain::user::{Role, Username};

/// A user as the host knows them now.
#[derive(Clone, Debug, PartialEq)]
pub struct DirectoryUser {
    /// An identifier that never changes and is never reassigned, such as the row's id. The user name may be both.
    pub key: DirectoryKey,
    /// The name that the user signs in with.
    pub username: Username,
    /// A disabled user cannot sign in, and everything issued to the user stops working.
    pub disabled: bool,
    /// The user's roles in the tenant.
    pub roles: Vec<Role>,
    /// The standard claims.
    pub profile: Profile,
}

impl DirectoryUser {
    /// A user with a name and no other data.
    pub fn new(key: impl Into<String>, username: Username) -> Self {
        let key = DirectoryKey::new(key);
        Self { key, username, disabled: false, roles: Vec::new(), profile: Profile::default() }
    }
}

/// Looks up users and checks passwords for the tenants that it holds.
///
/// If a call fails or takes longer than [`Settings::host_deadline`](crate::domain::settings::Settings::host_deadline),
/// the browser or client gets 503 with `Retry-After`; no session is created or ended.
pub trait Directory: Send + Sync + 'static {
    /// Returns whether it holds this tenant's users. Then it alone is asked: a password that the provider may have
    /// stored for one of them is ignored.
    fn holds(&self, tenant: &TenantDomain) -> bool;

    /// The user with this name. Names are compared by [`Username::key`], which ignores case and width.
    fn find<'a>(
        &'a self,
        tenant: &'a TenantDomain,
        username: &'a Username,
    ) -> BoxFuture<'a, Result<Option<DirectoryUser>, Unavailable>>;

    /// Returns whether this is the user's password. For an unknown name it is called with `None`, and should then take
    /// as long as for a user and return `false`. The provider limits the number of tries.
    fn check_password<'a>(
        &'a self,
        tenant: &'a TenantDomain,
        key: Option<&'a DirectoryKey>,
        password: &'a str,
    ) -> BoxFuture<'a, Result<bool, Unavailable>>;

    /// The user with this key; called when a token is refreshed, a session is used, or claims are read.
    fn by_key<'a>(
        &'a self,
        tenant: &'a TenantDomain,
        key: &'a DirectoryKey,
    ) -> BoxFuture<'a, Result<Option<DirectoryUser>, Unavailable>>;
}
