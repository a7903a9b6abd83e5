//! Invitations to link an account with an upstream provider; [`linking`] says why they work as they do.

use std::time::Duration;

use zeroize::Zeroizing;

use super::context::Management;
use crate::account::linking;
use crate::audit::{self, Entry};
use crate::crypto::random;
use crate::domain::audit::Actor;
use crate::domain::epoch::Epoch;
use crate::domain::event::Event;
use crate::domain::tenant::TenantDomain;
use crate::domain::upstream::UpstreamAccount;
use crate::domain::user::{User, Username};
use crate::storage::{self, link_invitations, users};

/// How long an invitation is valid.
const VALID: Duration = Duration::from_hours(24);

/// An invitation: the code that its user types after signing in upstream. It is valid once, for a day.
pub struct Invitation {
    code: Zeroizing<String>,
    upstream: String,
}

impl Invitation {
    /// The code in groups of five.
    pub fn code(&self) -> String {
        let groups: Vec<_> = self.code.as_bytes().chunks(5).map(String::from_utf8_lossy).collect();
        groups.join("-")
    }

    /// The title of the provider.
    pub fn upstream(&self) -> &str {
        &self.upstream
    }
}

/// Why no invitation was made.
#[derive(Debug, thiserror::Error)]
pub enum InviteError {
    /// No such tenant.
    #[error("there is no tenant {0}")]
    TenantUnknown(String),
    /// No such user in the tenant.
    #[error("there is no user {0} in that tenant")]
    UserUnknown(String),
    /// The user is in the host's directory.
    #[error("the user signs in at the host's own directory")]
    InDirectory,
    /// The account is linked already.
    #[error("the account is linked already; take the link away with upstream = \"\" in `apply`")]
    Linked,
    /// There is no provider, there are several, or not the one that was named.
    #[error("name one of the upstream providers of this tenant: {0}")]
    WhichUpstream(String),
    /// The store failed.
    #[error("{0}")]
    Failed(String),
}

impl From<storage::Error> for InviteError {
    fn from(error: storage::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

impl Management<'_> {
    /// Invites the user of this name to link the account; an older invitation is void. The provider must be named only
    /// where the tenant has several and the account is prepared for none of them.
    pub(crate) async fn invite(
        &self,
        tenant: &str,
        username: &str,
        upstream: Option<&str>,
    ) -> Result<Invitation, InviteError> {
        let (user, epoch, account) = self.invitee(tenant, username).await?;
        let offered = self.catalogue.upstreams(Some(&user.tenant)).await?;
        let mut fitting =
            offered.iter().map(|stored| &stored.upstream).filter(|known| match (upstream, &account) {
                (Some(name), _) => known.name.as_str() == name,
                (None, Some(account)) => known.id == account.upstream,
                (None, None) => true,
            });
        let (Some(chosen), None) = (fitting.next(), fitting.next()) else {
            let names: Vec<_> = offered.iter().map(|stored| stored.upstream.name.as_str()).collect();
            return Err(InviteError::WhichUpstream(names.join(", ")));
        };
        // 100 bits.
        let code = Zeroizing::new(random::crockford::<20>());
        let hash = linking::code_hash(self.sealer, &code);
        let event = Event::Managed {
            kind: "user".to_owned(),
            key: format!("{tenant}/{username}"),
            change: "changed",
            members: vec!["invitation"],
        };
        let entry = Entry::new(self.now(), Actor::Console, event).of_tenant(&user.tenant);
        let (user, id, until) = (user.id, chosen.id.clone(), self.now().plus(VALID));
        let invited = self.db.write(move |tx| {
            let (user, id, hash, entry) = (user.clone(), id.clone(), hash.clone(), entry.clone());
            Box::pin(async move {
                link_invitations::put(tx, &user, &id, &hash, epoch, until).await?;
                audit::record(tx, entry)
            })
        });
        invited.await?;
        Ok(Invitation { code, upstream: chosen.title.clone() })
    }

    /// Returns the user, the epoch of user and tenant, and the upstream account that is prepared, if any.
    async fn invitee(
        &self,
        tenant: &str,
        username: &str,
    ) -> Result<(User, Epoch, Option<UpstreamAccount>), InviteError> {
        let no_tenant = || InviteError::TenantUnknown(tenant.to_owned());
        let no_user = || InviteError::UserUnknown(username.to_owned());
        let domain = TenantDomain::parse(tenant).map_err(|_| no_tenant())?;
        let found = self.catalogue.tenant_by_domain(&domain).await?.ok_or_else(no_tenant)?;
        let name = Username::parse(username).map_err(|_| no_user())?;
        let user = users::credentials(&mut self.db.read().tx(), &found.id, Some(&name)).await?;
        let user = user.ok_or_else(no_user)?.user;
        match user.upstream.clone() {
            Some(account) if account.subject.is_some() => Err(InviteError::Linked),
            _ if user.directory.is_some() => Err(InviteError::InDirectory),
            account => Ok((user.clone(), user.epoch + found.epoch, account)),
        }
    }
}
