//! People of the host's own directory: their password, their row here, and whether they are still there.
//!
//! Nothing here is asked while a connection to the store is held, for the host may take its time.

use std::time::Duration;

use super::host::Host;
use super::{Account, Error};
use crate::crypto::random;
use crate::domain::epoch::Epoch;
use crate::domain::event::LoginFailure;
use crate::domain::ids::UserId;
use crate::domain::tenant::Tenant;
use crate::domain::user::{User, Username};
use crate::ext::DirectoryUser;
use crate::storage::users;

/// A sign-in that fails is answered no sooner than this after it began, wherever there is a directory: how quickly the
/// host says no would tell its tenants from others, and perhaps names that exist from names that do not.
pub(super) const SLOWEST_NO: Duration = Duration::from_millis(250);

impl<'a> Account<'a> {
    /// The directory that holds this tenant's users, if there is one.
    pub(super) fn directory_of(&self, tenant: &Tenant) -> Option<Host<'a>> {
        self.host.filter(|host| host.holds(tenant))
    }

    /// Asks the directory whose password it is; returns that user's local row, or the reason why the sign-in is refused.
    pub(super) async fn ask_directory(
        &self,
        host: Host<'_>,
        tenant: &Tenant,
        username: Option<&Username>,
        typed: &str,
    ) -> Result<Result<User, LoginFailure>, Error> {
        let (directory, domain) = (host.directory, &tenant.domain);
        let found = match username {
            Some(name) => host.ask(directory.find(domain, name)).await?,
            None => None,
        };
        let key = found.as_ref().map(|person| &person.key);
        let matches = host.ask(directory.check_password(domain, key, typed)).await?;
        Ok(match found {
            _ if tenant.disabled => Err(LoginFailure::TenantDisabled),
            None => Err(LoginFailure::UserUnknown),
            Some(_) if !matches => Err(LoginFailure::WrongPassword),
            Some(person) if person.disabled => {
                let known = users::by_directory(&mut self.db.read().tx(), &tenant.id, &person.key).await?;
                if let Some(user) = known {
                    self.disable(&user).await?;
                }
                Err(LoginFailure::UserDisabled)
            }
            Some(person) => Ok(self.row_of(tenant, person).await?),
        })
    }

    /// Whether there is a directory.
    pub(crate) const fn has_directory(&self) -> bool {
        self.host.is_some()
    }

    /// The user as they are now. `None`: the directory that they come from does not know them any more or has disabled
    /// them, which ends what they were given; or it is not there, which ends nothing. A user of the provider's own is as the store says.
    pub(crate) async fn recheck_directory(&self, user: User) -> Result<Option<User>, Error> {
        let Some(key) = &user.directory else { return Ok(Some(user)) };
        let Some(tenant) = self.catalogue.tenant(&user.tenant).await? else { return Ok(None) };
        let Some(host) = self.directory_of(&tenant) else { return Ok(None) };
        let found = host.ask(host.directory.by_key(&tenant.domain, key)).await?;
        if let Some(person) = found.filter(|person| !person.disabled && person.key == *key) {
            return Ok(Some(self.row_of(&tenant, person).await?));
        }
        self.disable(&user).await?;
        Ok(None)
    }

    /// The directory has said that this user is gone or disabled: that ends what they were given, and should they come
    /// back, it brings nothing of it back.
    async fn disable(&self, user: &User) -> Result<(), Error> {
        if user.disabled {
            return Ok(());
        }
        let id = user.id.clone();
        let disabled = self.db.write(move |tx| {
            let id = id.clone();
            Box::pin(async move { users::disable(tx, &id).await })
        });
        Ok(disabled.await?)
    }

    /// The row that stands for a person, made or brought up to date if need be.
    async fn row_of(&self, tenant: &Tenant, person: DirectoryUser) -> Result<User, Error> {
        let DirectoryUser { key, username, disabled, roles, profile } = person;
        let known = users::by_directory(&mut self.db.read().tx(), &tenant.id, &key).await?;
        let (id, epoch, updated_at, personal_desktop) = match &known {
            Some(user) => (user.id.clone(), user.epoch, user.updated_at, user.personal_desktop.clone()),
            None => (UserId::new(random::uuid()), Epoch::default(), self.now(), None),
        };
        let tenant = tenant.id.clone();
        let mut user = User {
            id,
            tenant,
            username,
            disabled,
            epoch,
            roles,
            profile,
            updated_at,
            personal_desktop,
            directory: Some(key),
            upstream: None,
        };
        if known.as_ref() == Some(&user) {
            return Ok(user);
        }
        user.updated_at = self.now();
        let stored = self.db.write(move |tx| {
            let user = user.clone();
            Box::pin(async move { users::stand_for(tx, &user).await })
        });
        Ok(stored.await?)
    }
}
