//! Linking an account with somebody at an upstream provider.
//!
//! Who somebody is upstream says that provider alone, by its `sub`: no administrator types it, and no address, name or
//! likeness is ever compared. So there are two halves that only the right person holds together. An administrator *invites*:
//! that makes a code for one account and one provider, which counts once and for a day, and says nothing about who will
//! bring it. And whoever is *signed in at that provider* in this very login brings the code: then, and only then, its
//! `sub` is written down. Why a code that is typed and not a link that is opened: a link in a mail is opened by whoever
//! sees the mail, mail scanners among them, in a browser that may be signed in as somebody else; the code is typed on a
//! page that names the provider, after signing in there.
//!
//! From then on the account is entered only there. Whatever opened it here goes in the same write (password, authenticators,
//! passkeys, recovery codes, sessions and all that they gave), for a second door would be the weaker one. Accounts that
//! `apply` makes with `upstream` have never had one here and wait for their invitation.

use std::time::Duration;

use zeroize::Zeroizing;

use super::Account;
use super::ending::{self, Spared};
use crate::crypto::random;
use crate::domain::epoch::Epoch;
use crate::domain::ids::{Hash, UpstreamId, UserId};
use crate::domain::tenant::TenantDomain;
use crate::domain::time::Time;
use crate::domain::upstream::UpstreamAccount;
use crate::domain::user::{User, Username};
use crate::storage::{
    self, Tx, authenticators, link_invitations, passkeys, recovery_codes, upstream_accounts, users,
};

/// How long an invitation may be taken.
const VALID: Duration = Duration::from_hours(24);

/// Under which codes are hashed.
const PURPOSE: &str = "link invitation";

/// An invitation: what the person it is meant for types after signing in upstream. It counts once, and for a day.
pub struct Invitation {
    code: Zeroizing<String>,
    upstream: String,
}

impl Invitation {
    /// The code in groups of five, as it is handed over.
    pub fn code(&self) -> String {
        let groups: Vec<_> = self.code.as_bytes().chunks(5).map(String::from_utf8_lossy).collect();
        groups.join("-")
    }

    /// What people call the provider.
    pub fn upstream(&self) -> &str {
        &self.upstream
    }
}

/// Why nobody is invited.
#[derive(Debug, thiserror::Error)]
pub enum InviteError {
    /// No such tenant.
    #[error("there is no tenant {0}")]
    TenantUnknown(String),
    /// No such user there.
    #[error("there is no user {0} in that tenant")]
    UserUnknown(String),
    /// The host's directory holds the user.
    #[error("the user signs in at the host's own directory")]
    InDirectory,
    /// The account is linked already.
    #[error("the account is linked already; take the link away with upstream = \"\" in `apply`")]
    Linked,
    /// No provider, several, or not the one that was named.
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

/// An invitation that somebody brings who is signed in at the provider.
#[derive(Clone, Debug)]
pub(crate) struct InvitationRedemption {
    pub(crate) user: UserId,
    upstream: UpstreamId,
    subject: String,
    hash: Hash,
}

impl InvitationRedemption {
    /// Links the account, and takes away whatever opened it here. `false`: the invitation is used up, or the account is
    /// linked already; of two at once, one gets `true`.
    pub(crate) async fn settle(&self, tx: &mut Tx<'_>, now: Time) -> storage::Result<bool> {
        let Self { user, upstream, subject, hash } = self;
        let ours = link_invitations::redeem(tx, user, upstream, hash, now).await?
            && upstream_accounts::link(tx, user, upstream, subject).await?;
        if ours {
            close_local_doors(tx, user).await?;
        }
        Ok(ours)
    }
}

/// Takes away whatever opens the account here: password, authenticators, passkeys and recovery codes; and ends what they
/// gave.
pub(crate) async fn close_local_doors(tx: &mut Tx<'_>, user: &UserId) -> storage::Result<()> {
    users::set_password(tx, user, None).await?;
    authenticators::remove_all(tx, user).await?;
    passkeys::remove_all(tx, user).await?;
    recovery_codes::replace(tx, user, &[]).await?;
    ending::end(tx, user, Spared::default()).await
}

impl Account<'_> {
    /// Invites the user of this name to link the account; an older invitation is void. The provider need only be named
    /// where there are several, and where the account is meant for none of them.
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
        // 100 bits, which nobody guesses.
        let code = Zeroizing::new(random::crockford::<20>());
        let hash = self.sealer.keyed_hash(PURPOSE, &code);
        let (user, id, until) = (user.id, chosen.id.clone(), self.now().plus(VALID));
        let invited = self.db.write(move |tx| {
            let (user, id, hash) = (user.clone(), id.clone(), hash.clone());
            Box::pin(async move { link_invitations::put(tx, &user, &id, &hash, epoch, until).await })
        });
        invited.await?;
        Ok(Invitation { code, upstream: chosen.title.clone() })
    }

    /// Who is to be invited, in which epoch, and where the account is meant to be entered, if that is known.
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

    /// What a typed code invites this person to, as long as nobody takes it before.
    pub(crate) async fn redemption(
        &self,
        upstream: &UpstreamId,
        subject: &str,
        typed: &str,
    ) -> storage::Result<Option<InvitationRedemption>> {
        let hash = self.sealer.keyed_hash(PURPOSE, &random::crockford_typed(typed));
        let mut reader = self.db.read();
        let user = link_invitations::invited(&mut reader.tx(), upstream, &hash, self.now()).await?;
        Ok(user.map(|user| InvitationRedemption {
            user,
            upstream: upstream.clone(),
            subject: subject.to_owned(),
            hash,
        }))
    }
}
