//! The catalogue: issuers, tenants, upstream providers, clients and keys, which are read with every request and rarely change.
//!
//! Every change raises the one revision row. What is cached is filed with the revision it was read under and counts
//! only under that, so a load that a change has overtaken can never be served. A node looks at the row before it
//! answers when its last look is older than 250 ms; after a change of its own it looks at once.
//! What is not there is not cached: nobody can fill the catalogue with guesses.

use std::collections::BTreeSet;
use std::hash::Hash;
use std::sync::{Arc, PoisonError, RwLock};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use quick_cache::sync::Cache;

use super::error::Result;
use super::keys::{self, StoredKey};
use super::{Db, clients, issuers, revision, tenants, upstreams};
use crate::domain::client::Client;
use crate::domain::ids::{ClientId, IssuerId, TenantId};
use crate::domain::issuer::{Address, Issuer, IssuerUrl};
use crate::domain::tenant::{Tenant, TenantDomain};
use crate::ext::Clock;

/// How old the last look at the revision may be.
const LOOK_MILLIS: i64 = 250;
/// The most entries of one kind; more tenants than this still work, with a read each.
const ENTRIES: usize = 16_384;

/// The catalogue of one provider; clones share it.
#[derive(Clone)]
pub struct Catalogue(Arc<Inner>);

struct Inner {
    db: Db,
    clock: Arc<dyn Clock>,
    root: IssuerUrl,
    look: RwLock<Option<Look>>,
    looking: tokio::sync::Mutex<()>,
    issuers: Filed<Address, Issuer>,
    issuers_by_id: Filed<IssuerId, Issuer>,
    tenants: Filed<TenantId, Tenant>,
    tenants_by_domain: Filed<TenantDomain, Tenant>,
    clients: Filed<(IssuerId, ClientId), Client>,
    origins: Filed<IssuerId, BTreeSet<String>>,
    passkey_sign_in: Filed<(), bool>,
    keys: Filed<IssuerId, Vec<StoredKey>>,
    upstreams: Filed<Option<TenantId>, Vec<upstreams::Stored>>,
}

/// A look at the revision row.
#[derive(Clone, Copy)]
struct Look {
    revision: i64,
    at_millis: i64,
    own_changes: u64,
}

impl Catalogue {
    /// An empty catalogue over this database.
    pub fn new(db: Db, clock: Arc<dyn Clock>, root: IssuerUrl) -> Self {
        Self(Arc::new(Inner {
            db,
            clock,
            root,
            look: RwLock::new(None),
            looking: tokio::sync::Mutex::new(()),
            issuers: Filed::new(),
            issuers_by_id: Filed::new(),
            tenants: Filed::new(),
            tenants_by_domain: Filed::new(),
            clients: Filed::new(),
            origins: Filed::new(),
            passkey_sign_in: Filed::new(),
            keys: Filed::new(),
            upstreams: Filed::new(),
        }))
    }

    /// The issuer at an address.
    pub async fn issuer(&self, address: &Address) -> Result<Option<Arc<Issuer>>> {
        let load = || {
            async {
                let mut reader = self.0.db.read().await?;
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
                let mut reader = self.0.db.read().await?;
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
                let mut reader = self.0.db.read().await?;
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
                let mut reader = self.0.db.read().await?;
                tenants::by_domain(&mut reader.tx(), domain).await
            }
            .boxed()
        };
        self.0.tenants_by_domain.find(self.revision().await?, domain, load).await
    }

    /// The client with this id that is seen at this issuer; a disabled one is as good as unknown.
    pub async fn client(&self, issuer: &IssuerId, id: &ClientId) -> Result<Option<Arc<Client>>> {
        let key = (issuer.home(), id.clone());
        let load = || {
            async {
                let mut reader = self.0.db.read().await?;
                let client = clients::by_id(&mut reader.tx(), issuer, id).await?;
                Ok(client.filter(|client| !client.disabled))
            }
            .boxed()
        };
        self.0.clients.find(self.revision().await?, &key, load).await
    }

    /// The origins (`https://host:port`) of the redirect URIs of the clients that are seen at this issuer.
    pub async fn origins(&self, issuer: &IssuerId) -> Result<Arc<BTreeSet<String>>> {
        let home = issuer.home();
        let load = || {
            async {
                let mut reader = self.0.db.read().await?;
                let clients = clients::of_issuer(&mut reader.tx(), &home).await?;
                let enabled = clients.iter().filter(|client| !client.disabled);
                Ok(Some(enabled.flat_map(Client::origins).collect()))
            }
            .boxed()
        };
        Ok(self.0.origins.find(self.revision().await?, &home, load).await?.unwrap_or_default())
    }

    /// Is there a tenant whose users may sign in with a passkey alone?
    pub async fn any_passkey_sign_in(&self) -> Result<bool> {
        let load = || {
            async {
                let mut reader = self.0.db.read().await?;
                tenants::any_passkey_sign_in(&mut reader.tx()).await.map(Some)
            }
            .boxed()
        };
        let found = self.0.passkey_sign_in.find(self.revision().await?, &(), load).await?;
        Ok(found.is_some_and(|any| *any))
    }

    /// The signing keys an issuer has so far.
    pub async fn keys(&self, issuer: &IssuerId) -> Result<Arc<Vec<StoredKey>>> {
        let load = || {
            async {
                let mut reader = self.0.db.read().await?;
                let keys = keys::of_issuer(&mut reader.tx(), issuer).await?;
                Ok(Some(keys).filter(|keys| !keys.is_empty()))
            }
            .boxed()
        };
        Ok(self.0.keys.find(self.revision().await?, issuer, load).await?.unwrap_or_default())
    }

    /// The upstream providers that are offered where this tenant's users sign in. Where the tenant is not known yet, they
    /// are those of all resellers: a tenant's own would tell that there is such a tenant.
    pub async fn upstreams(&self, tenant: Option<&TenantId>) -> Result<Arc<Vec<upstreams::Stored>>> {
        let load = || {
            async {
                let mut reader = self.0.db.read().await?;
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

    /// The number under which everything cached counts; what is made from the catalogue may be filed under it too.
    pub async fn revision(&self) -> Result<i64> {
        match self.recent() {
            Some(revision) => Ok(revision),
            None => self.look().boxed().await,
        }
    }

    async fn look(&self) -> Result<i64> {
        let _one_at_a_time = self.0.looking.lock().await;
        if let Some(revision) = self.recent() {
            return Ok(revision);
        }
        // Time and changes are noted before the row is read: what happens meanwhile is looked at again.
        let (at_millis, own_changes) = (self.0.clock.unix_millis(), self.0.db.catalogue_changes());
        let mut reader = self.0.db.read().await?;
        let revision = revision::current(&mut reader.tx()).await?;
        let mut look = self.0.look.write().unwrap_or_else(PoisonError::into_inner);
        *look = Some(Look { revision, at_millis, own_changes });
        Ok(revision)
    }

    /// The revision seen by a look that is young enough. A clock that was set back makes every look old.
    fn recent(&self) -> Option<i64> {
        let look = (*self.0.look.read().unwrap_or_else(PoisonError::into_inner))?;
        let age = self.0.clock.unix_millis() - look.at_millis;
        let recent = (0..LOOK_MILLIS).contains(&age) && look.own_changes == self.0.db.catalogue_changes();
        recent.then_some(look.revision)
    }
}

/// Values filed under the revision they were read under.
struct Filed<K, V>(Cache<K, (i64, Arc<V>)>);

impl<K: Clone + Eq + Hash, V> Filed<K, V> {
    fn new() -> Self {
        Self(Cache::new(ENTRIES))
    }

    /// A load is boxed, for it is rare: whoever waits for a value would carry the room for it in every request.
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
