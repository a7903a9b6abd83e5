//! The catalogue: issuers, tenants, upstream providers, clients, own scopes, APIs and keys, which every request reads
//! and which rarely change.
//!
//! Every change increments the revision row. A cached value is stored with the revision it was read under and is valid
//! only for that one, so a load that raced with a change is never served. A node reads the revision before it answers
//! if its last read is older than 250 ms, and at once after a change of its own (see [`Looks`]).
//! Missing rows are not cached, so guesses cannot fill the cache.

use std::collections::BTreeSet;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use quick_cache::sync::Cache;

use super::looks::{LOOK_MILLIS, Looks};
use crate::domain::client::Client;
use crate::domain::ids::{ClientId, IssuerId, TenantId};
use crate::domain::issuer::{Issuer, IssuerAddress, IssuerUrl};
use crate::domain::own_scopes::OwnScopes;
use crate::domain::tenant::{Tenant, TenantDomain};
use crate::ext::Clock;
use crate::storage::core::db::Db;
use crate::storage::core::error::Result;
use crate::storage::core::tx::outside_a_write;
use crate::storage::tables::imported_passwords::{self, SchemeShares};
use crate::storage::tables::keys::{self, StoredKey};
use crate::storage::tables::{clients, issuers, own_scopes, tenants, upstreams};

/// Maximum entries of one kind; beyond it each request reads the store.
const ENTRIES: usize = 16_384;

/// Lifetime of the cached shares of password schemes.
const SCHEMES_SECONDS: i64 = 300;

/// The catalogue of one provider; clones share it.
#[derive(Clone)]
pub struct Catalogue(Arc<CatalogueInner>);

struct CatalogueInner {
    db: Db,
    root: IssuerUrl,
    looks: Looks,
    issuers: RevisionedCache<IssuerAddress, Issuer>,
    issuers_by_id: RevisionedCache<IssuerId, Issuer>,
    tenants: RevisionedCache<TenantId, Tenant>,
    tenants_by_domain: RevisionedCache<TenantDomain, Tenant>,
    clients: RevisionedCache<(IssuerId, ClientId), Client>,
    origins: RevisionedCache<IssuerId, BTreeSet<String>>,
    passkey_sign_in: RevisionedCache<(), bool>,
    keys: RevisionedCache<IssuerId, Vec<StoredKey>>,
    upstreams: RevisionedCache<Option<TenantId>, Vec<upstreams::StoredUpstream>>,
    own_scopes: RevisionedCache<(), OwnScopes>,
    password_schemes: RevisionedCache<Option<TenantId>, SchemeShares>,
}

impl Catalogue {
    /// An empty catalogue over this database.
    pub fn new(db: Db, clock: Arc<dyn Clock>, root: IssuerUrl) -> Self {
        Self(Arc::new(CatalogueInner {
            looks: Looks::new(db.clone(), clock),
            db,
            root,
            issuers: RevisionedCache::new(),
            issuers_by_id: RevisionedCache::new(),
            tenants: RevisionedCache::new(),
            tenants_by_domain: RevisionedCache::new(),
            clients: RevisionedCache::new(),
            origins: RevisionedCache::new(),
            passkey_sign_in: RevisionedCache::new(),
            keys: RevisionedCache::new(),
            upstreams: RevisionedCache::new(),
            own_scopes: RevisionedCache::new(),
            password_schemes: RevisionedCache::new(),
        }))
    }

    /// The issuer at an address.
    pub async fn issuer(&self, address: &IssuerAddress) -> Result<Option<Arc<Issuer>>> {
        let load = || {
            async {
                let mut reader = self.0.db.read();
                issuers::by_address(&mut reader.tx(), &self.0.root, address).await
            }
            .boxed()
        };
        self.0.issuers.find(self.revision().await?, address, load).await
    }

    /// The issuer with this id.
    pub async fn issuer_by_id(&self, id: &IssuerId) -> Result<Option<Arc<Issuer>>> {
        let load = || {
            async {
                let mut reader = self.0.db.read();
                issuers::by_id(&mut reader.tx(), &self.0.root, id).await
            }
            .boxed()
        };
        self.0.issuers_by_id.find(self.revision().await?, id, load).await
    }

    /// The tenant with this id, disabled or not.
    pub async fn tenant(&self, id: &TenantId) -> Result<Option<Arc<Tenant>>> {
        let load = || {
            async {
                let mut reader = self.0.db.read();
                tenants::by_id(&mut reader.tx(), id).await
            }
            .boxed()
        };
        self.0.tenants.find(self.revision().await?, id, load).await
    }

    /// The tenant with this domain, disabled or not.
    pub async fn tenant_by_domain(&self, domain: &TenantDomain) -> Result<Option<Arc<Tenant>>> {
        let load = || {
            async {
                let mut reader = self.0.db.read();
                tenants::by_domain(&mut reader.tx(), domain).await
            }
            .boxed()
        };
        self.0.tenants_by_domain.find(self.revision().await?, domain, load).await
    }

    /// The client with this id that is visible at this issuer; `None` if it or its tenant is disabled.
    pub async fn client(&self, issuer: &IssuerId, id: &ClientId) -> Result<Option<Arc<Client>>> {
        let key = (issuer.home(), id.clone());
        let load = || {
            async {
                let mut reader = self.0.db.read();
                clients::enabled(&mut reader.tx(), issuer, id).await
            }
            .boxed()
        };
        self.0.clients.find(self.revision().await?, &key, load).await
    }

    /// The origins (`https://host:port`) of the redirect URIs of the clients that are visible at this issuer.
    pub async fn origins(&self, issuer: &IssuerId) -> Result<Arc<BTreeSet<String>>> {
        let home = issuer.home();
        let load = || {
            async {
                let mut reader = self.0.db.read();
                let clients = clients::of_issuer(&mut reader.tx(), &home).await?;
                let enabled = clients.iter().filter(|client| !client.disabled);
                Ok(Some(enabled.flat_map(Client::origins).collect()))
            }
            .boxed()
        };
        Ok(self.0.origins.find(self.revision().await?, &home, load).await?.unwrap_or_default())
    }

    /// Returns whether a tenant lets its users sign in with a passkey alone.
    pub async fn any_passkey_sign_in(&self) -> Result<bool> {
        let load = || {
            async {
                let mut reader = self.0.db.read();
                tenants::any_passkey_sign_in(&mut reader.tx()).await.map(Some)
            }
            .boxed()
        };
        let found = self.0.passkey_sign_in.find(self.revision().await?, &(), load).await?;
        Ok(found.is_some_and(|any| *any))
    }

    /// The signing keys of an issuer.
    pub async fn keys(&self, issuer: &IssuerId) -> Result<Arc<Vec<StoredKey>>> {
        let load = || {
            async {
                let mut reader = self.0.db.read();
                let keys = keys::of_issuer(&mut reader.tx(), issuer).await?;
                Ok(Some(keys).filter(|keys| !keys.is_empty()))
            }
            .boxed()
        };
        Ok(self.0.keys.find(self.revision().await?, issuer, load).await?.unwrap_or_default())
    }

    /// The upstream providers offered on this tenant's login page. While the tenant is unknown, only those of the
    /// resellers are offered: a tenant's own providers would reveal that the tenant exists.
    pub async fn upstreams(&self, tenant: Option<&TenantId>) -> Result<Arc<Vec<upstreams::StoredUpstream>>> {
        let load = || {
            async {
                let mut reader = self.0.db.read();
                let tx = &mut reader.tx();
                match tenant {
                    Some(tenant) => upstreams::of_tenant(tx, tenant).await.map(Some),
                    None => upstreams::of_resellers(tx).await.map(Some),
                }
            }
            .boxed()
        };
        Ok(self.0.upstreams.find(self.revision().await?, &tenant.cloned(), load).await?.unwrap_or_default())
    }

    /// The installation's own scopes and APIs.
    pub async fn own_scopes(&self) -> Result<Arc<OwnScopes>> {
        let load = || {
            async {
                let mut reader = self.0.db.read();
                own_scopes::all(&mut reader.tx()).await.map(Some)
            }
            .boxed()
        };
        Ok(self.0.own_scopes.find(self.revision().await?, &(), load).await?.unwrap_or_default())
    }

    /// The password schemes of a tenant, or of all tenants. Sign-ins change them without a new revision, so they are
    /// read again every five minutes.
    pub(crate) async fn password_schemes(&self, tenant: Option<&TenantId>) -> Result<Arc<SchemeShares>> {
        let load = || {
            async {
                let mut reader = self.0.db.read();
                imported_passwords::shares(&mut reader.tx(), tenant).await.map(Some)
            }
            .boxed()
        };
        // Both numbers only grow, so the sum changes whenever one does.
        let age = self.0.looks.unix_seconds() / SCHEMES_SECONDS;
        let number = self.revision().await?.saturating_add(age);
        Ok(self.0.password_schemes.find(number, &tenant.cloned(), load).await?.unwrap_or_default())
    }

    /// The current revision, by which values derived from the catalogue may be cached too.
    pub async fn revision(&self) -> Result<i64> {
        outside_a_write()?;
        match self.0.looks.recent() {
            Some(revision) => Ok(revision),
            None => self.0.looks.renewed().boxed().await,
        }
    }

    /// Returns whether revision reads have been requested for `patience` and none succeeded.
    pub(crate) fn is_stalled(&self, patience: Duration) -> bool {
        self.0.looks.is_stalled(patience)
    }

    /// Waits until no node answers from a revision read before now. Returns at once if this process has made no change
    /// since `own_changes` was read ([`Self::own_changes`]).
    pub(crate) async fn seen_by_every_node(&self, own_changes: u64) {
        if self.own_changes() != own_changes {
            tokio::time::sleep(Duration::from_millis(LOOK_MILLIS.unsigned_abs())).await;
        }
    }

    /// The number of catalogue changes made by this process.
    pub(crate) fn own_changes(&self) -> u64 {
        self.0.db.catalogue_changes()
    }
}

/// Values stored with the revision they were read under.
struct RevisionedCache<K, V>(Cache<K, (i64, Arc<V>)>);

impl<K: Clone + Eq + Hash, V> RevisionedCache<K, V> {
    fn new() -> Self {
        Self(Cache::new(ENTRIES))
    }

    /// The load is boxed, because it is rare: otherwise every request's future would carry its size.
    async fn find<'a>(
        &self,
        revision: i64,
        key: &K,
        load: impl FnOnce() -> BoxFuture<'a, Result<Option<V>>>,
    ) -> Result<Option<Arc<V>>> {
        if let Some((read_under, value)) = self.0.get(key)
            && read_under == revision
        {
            return Ok(Some(value));
        }
        let Some(value) = load().await?.map(Arc::new) else {
            self.0.remove(key);
            return Ok(None);
        };
        self.0.insert(key.clone(), (revision, value.clone()));
        Ok(Some(value))
    }
}
