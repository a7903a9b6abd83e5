//! A validated change, ready to be written: everything that takes time (hashes, seals) is computed before.

use crate::account::ending::{self, Spared};
use crate::account::linking;
use crate::crypto::password::ImportedPassword;
use crate::domain::audience::ResourceIndicator;
use crate::domain::client::Client;
use crate::domain::event::Event;
use crate::domain::group::Group;
use crate::domain::ids::{
    AuthenticatorId, ClientId, GroupId, Hash, IssuerId, ResellerId, TenantId, UpstreamId, UserId,
};
use crate::domain::own_scopes::{Api, OwnScope};
use crate::domain::passkey::Passkey;
use crate::domain::tenant::Tenant;
use crate::domain::upstream::{Reseller, UpstreamAccount};
use crate::domain::user::User;
use crate::storage::authenticators::StoredAuthenticator;
use crate::storage::{
    Error, Result, Tx, authenticators, clients, groups, imported_passwords, issuers, link_invitations,
    own_scopes, passkeys, recovery_codes, resellers, tenants, trusted_browsers, upstream_accounts, upstreams,
    users,
};

/// What a change does to its thing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum ChangeKind {
    /// The store is as the members say already.
    #[default]
    Nothing,
    /// The thing is new.
    Created,
    /// The thing is different.
    Changed,
    /// The thing is removed.
    Removed,
}

/// The validated change of one thing.
#[derive(Debug, Default)]
pub(crate) struct Change {
    /// The natural key of the thing, for example `user 123456.sms/anna`.
    pub(crate) key: String,
    /// What happens to it.
    pub(crate) kind: ChangeKind,
    /// Consequences that the operator should know, one sentence each.
    pub(crate) notes: Vec<String>,
    pub(super) writes: Vec<StoreChange>,
}

impl Change {
    /// Writes the change. May be run again: it has no effect outside the transaction.
    pub(crate) async fn apply(&self, tx: &mut Tx<'_>) -> Result<()> {
        for write in &self.writes {
            write.apply(tx).await?;
        }
        Ok(())
    }

    /// The event of the change, to be recorded in the same write.
    pub(crate) fn event(&self) -> Event {
        let (kind, key) = self.key.split_once(' ').unwrap_or(("thing", &self.key));
        let change = match self.kind {
            ChangeKind::Nothing | ChangeKind::Changed => "changed",
            ChangeKind::Created => "created",
            ChangeKind::Removed => "removed",
        };
        let members = self.writes.iter().map(StoreChange::member).collect();
        Event::Managed { kind: kind.to_owned(), key: key.to_owned(), change, members }
    }
}

/// One step of a change.
#[derive(Debug)]
pub(super) enum StoreChange {
    Reseller(Reseller),
    RemoveReseller(ResellerId),
    Upstream(Box<upstreams::StoredUpstream>),
    RemoveUpstream(UpstreamId),
    /// Ends what users signed in with there: the provider has another issuer or owner, so its subjects may mean other people.
    EndAtUpstream(UpstreamId),
    /// Ends what the tenant's users signed in with at this reseller's providers.
    EndAtReseller(TenantId, ResellerId),
    /// The upstream account, or none. Ends the user's sessions and removes all local credentials.
    SignsInAt(UserId, Option<UpstreamAccount>),
    Tenant(Tenant),
    Hosts(TenantId, Vec<String>),
    Group(Group),
    RemoveGroup(GroupId),
    User(Box<User>),
    /// All groups of the user. Ends nothing: claims are read when they are requested.
    UserGroups(UserId, Vec<GroupId>),
    /// Another password. Ends the user's sessions.
    Password(UserId, String),
    /// An imported hash, and a keyed hash of its text. Ends the user's sessions.
    ImportedPassword(UserId, ImportedPassword, Hash),
    /// The same password at today's cost: the old hash and the new.
    Rehash(UserId, String, String),
    /// Whether the password must be changed at the next login.
    MustChangePassword(UserId, bool),
    /// Replaces the user's authenticator. Removes trusted browsers; ends the user's sessions if there was another one.
    Authenticator(Box<StoredAuthenticator>),
    RemoveAuthenticators(UserId),
    /// Adds a passkey.
    Passkey(Box<Passkey>),
    RemovePasskey(UserId, AuthenticatorId),
    Scope(OwnScope),
    RemoveScope(String),
    Api(Api),
    RemoveApi(ResourceIndicator),
    Client(Box<Client>),
    RemoveClient(IssuerId, ClientId),
    RemoveUser(UserId),
    RemoveTenant(TenantId),
}

impl StoreChange {
    /// What is written, in one word.
    const fn member(&self) -> &'static str {
        match self {
            Self::Reseller(_) | Self::RemoveReseller(_) => "reseller",
            Self::Upstream(_) | Self::RemoveUpstream(_) => "upstream",
            Self::EndAtUpstream(_) | Self::EndAtReseller(..) => "upstream_accounts",
            Self::SignsInAt(..) => "sign_in",
            Self::Tenant(_) | Self::RemoveTenant(_) => "tenant",
            Self::Hosts(..) => "hosts",
            Self::Group(_) | Self::RemoveGroup(_) => "group",
            Self::User(_) | Self::RemoveUser(_) => "user",
            Self::UserGroups(..) => "groups",
            Self::Password(..) | Self::ImportedPassword(..) => "password",
            Self::Rehash(..) => "password_hash",
            Self::MustChangePassword(..) => "must_change_password",
            Self::Authenticator(_) | Self::RemoveAuthenticators(_) => "authenticators",
            Self::Passkey(_) | Self::RemovePasskey(..) => "passkeys",
            Self::Scope(_) | Self::RemoveScope(_) => "scope",
            Self::Api(_) | Self::RemoveApi(_) => "api",
            Self::Client(_) | Self::RemoveClient(..) => "client",
        }
    }

    async fn apply(&self, tx: &mut Tx<'_>) -> Result<()> {
        match self {
            Self::Reseller(reseller) => resellers::upsert(tx, reseller).await,
            Self::RemoveReseller(reseller) => resellers::remove(tx, reseller).await.map(drop),
            Self::Upstream(upstream) => upstreams::upsert(tx, upstream).await,
            Self::RemoveUpstream(upstream) => upstreams::remove(tx, upstream).await.map(drop),
            Self::EndAtUpstream(upstream) => {
                link_invitations::remove_at(tx, upstream).await?;
                upstream_accounts::end_at_upstream(tx, upstream).await.map(drop)
            }
            Self::EndAtReseller(tenant, reseller) => {
                link_invitations::remove_at_reseller(tx, tenant, reseller).await?;
                upstream_accounts::end_at_reseller(tx, tenant, reseller).await.map(drop)
            }
            Self::SignsInAt(user, account) => {
                linking::close_local_doors(tx, user).await?;
                upstream_accounts::set(tx, user, account.as_ref()).await
            }
            Self::Tenant(tenant) => tenants::upsert(tx, tenant).await,
            Self::Hosts(tenant, hosts) => issuers::set_hosts(tx, tenant, hosts).await,
            Self::Group(group) => groups::insert(tx, group).await,
            Self::RemoveGroup(group) => groups::remove(tx, group).await.map(drop),
            Self::User(user) => users::upsert(tx, user).await,
            Self::UserGroups(user, all) => groups::set_of_user(tx, user, all).await,
            Self::Password(user, hash) => {
                users::set_password(tx, user, Some(hash)).await?;
                ending::end(tx, user, Spared::default()).await
            }
            Self::ImportedPassword(user, ImportedPassword { hash, scheme }, source) => {
                imported_passwords::set(tx, user, hash, scheme, source).await?;
                ending::end(tx, user, Spared::default()).await
            }
            Self::Rehash(user, old, new) => users::rehash_password(tx, user, old, new).await.map(drop),
            Self::MustChangePassword(user, must) => {
                users::set_must_change_password(tx, user, *must).await.map(drop)
            }
            Self::Authenticator(new) => {
                let StoredAuthenticator { authenticator, sealed_secret } = new.as_ref();
                remove_authenticators(tx, &authenticator.user).await?;
                authenticators::insert(tx, authenticator, sealed_secret.as_deref()).await
            }
            Self::RemoveAuthenticators(user) => remove_authenticators(tx, user).await,
            Self::Passkey(new) => {
                trusted_browsers::remove_all(tx, &new.user).await?;
                if passkeys::insert(tx, new).await? { Ok(()) } else { Err(Error::Conflict) }
            }
            Self::RemovePasskey(user, id) => {
                passkeys::remove(tx, id).await?;
                ending::end(tx, user, Spared::default()).await
            }
            Self::Scope(own) => own_scopes::upsert(tx, own).await,
            Self::RemoveScope(name) => own_scopes::remove(tx, name).await.map(drop),
            Self::Api(api) => own_scopes::upsert_api(tx, api).await,
            Self::RemoveApi(audience) => own_scopes::remove_api(tx, audience).await.map(drop),
            Self::Client(client) => clients::upsert(tx, client).await,
            Self::RemoveClient(issuer, client) => clients::remove(tx, issuer, client).await.map(drop),
            Self::RemoveUser(user) => users::remove(tx, user).await.map(drop),
            Self::RemoveTenant(tenant) => tenants::remove(tx, tenant).await.map(drop),
        }
    }
}

/// Removes the recovery codes too: a device that is replaced may be in other hands, with the codes that came with it.
async fn remove_authenticators(tx: &mut Tx<'_>, user: &UserId) -> Result<()> {
    let had_one = authenticators::active(tx, user).await?.is_some();
    authenticators::remove_all(tx, user).await?;
    trusted_browsers::remove_all(tx, user).await?;
    if had_one {
        recovery_codes::replace(tx, user, &[]).await?;
        ending::end(tx, user, Spared::default()).await?;
    }
    Ok(())
}
