//! The catalogue: what is cached, and when a change is seen.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::timeout;
use vestibule::domain::client::{Client, SigningAlgorithm};
use vestibule::domain::ids::{ClientId, IssuerId};
use vestibule::domain::issuer::{IssuerAddress, IssuerUrl};
use vestibule::domain::tenant::{Tenant, TenantDomain};
use vestibule::ext::Clock;
use vestibule::storage::{Catalogue, Db, clients, issuers, keys, tenants};

use super::rows::{World, keep};
use super::tenants::key;
use super::{on_each, on_each_empty, open, write};

/// A clock that stands still until it is moved.
#[derive(Clone, Default)]
struct Hands(Arc<AtomicI64>);

impl Hands {
    fn set(&self, millis: i64) {
        self.0.store(millis, Ordering::Relaxed);
    }
}

impl Clock for Hands {
    fn unix_millis(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

fn catalogue(db: &Db, hands: &Hands) -> Catalogue {
    Catalogue::new(db.clone(), Arc::new(hands.clone()), IssuerUrl::parse("https://id.test").unwrap())
}

#[tokio::test]
async fn what_was_read_once_costs_no_statement() {
    on_each(async |db| {
        let World { tenant, shop, .. } = World::store(db).await;
        let issuer = IssuerId::of_tenant(&tenant.id);
        let stored = keep(key(&issuer, "k", SigningAlgorithm::Rs256));
        write!(db, tx => keys::insert_first(tx, stored)).unwrap();
        let catalogue = catalogue(db, &Hands::default());
        let address = IssuerAddress::Tenant(tenant.domain.clone());
        let look = async || {
            assert_eq!(catalogue.issuer(&address).await.unwrap().unwrap().id, issuer);
            assert_eq!(catalogue.issuer_by_id(&issuer).await.unwrap().unwrap().id, issuer);
            assert_eq!(*catalogue.tenant(&tenant.id).await.unwrap().unwrap(), *tenant);
            assert_eq!(*catalogue.tenant_by_domain(&tenant.domain).await.unwrap().unwrap(), *tenant);
            assert_eq!(*catalogue.client(&issuer, &shop.id).await.unwrap().unwrap(), *shop);
            assert_eq!(catalogue.keys(&issuer).await.unwrap().len(), 1);
            assert_eq!(catalogue.issuer(&IssuerAddress::Root).await.unwrap().unwrap().id, IssuerId::root());
        };
        look().await;
        let before = db.statements();
        look().await;
        assert_eq!(db.statements() - before, 0);
    })
    .await;
}

#[tokio::test]
async fn a_change_acts_at_once_where_it_was_made() {
    on_each(async |db| {
        let World { tenant, shop, .. } = World::store(db).await;
        let catalogue = catalogue(db, &Hands::default());
        let issuer = IssuerId::of_tenant(&tenant.id);
        let domain = TenantDomain::parse("renamed").unwrap();
        assert!(catalogue.client(&issuer, &shop.id).await.unwrap().is_some());
        assert!(catalogue.tenant_by_domain(&domain).await.unwrap().is_none());
        assert!(catalogue.keys(&issuer).await.unwrap().is_empty());
        assert!(catalogue.issuer(&IssuerAddress::Host("own.test".to_owned())).await.unwrap().is_none());

        let disabled = keep(Client { disabled: true, ..shop.clone() });
        write!(db, tx => clients::upsert(tx, disabled)).unwrap();
        assert!(catalogue.client(&issuer, &shop.id).await.unwrap().is_none(), "disabled is unknown");
        let renamed = keep(Tenant { domain: domain.clone(), ..tenant.clone() });
        write!(db, tx => tenants::upsert(tx, renamed)).unwrap();
        assert!(catalogue.tenant_by_domain(&domain).await.unwrap().is_some());
        assert!(catalogue.tenant_by_domain(&tenant.domain).await.unwrap().is_none());
        let stored = keep(key(&issuer, "k", SigningAlgorithm::Rs256));
        write!(db, tx => keys::insert_first(tx, stored)).unwrap();
        assert_eq!(catalogue.keys(&issuer).await.unwrap().len(), 1);
        write!(db, tx => issuers::set_hosts(tx, &tenant.id, keep(["own.test".to_owned()]))).unwrap();
        assert!(catalogue.issuer(&IssuerAddress::Host("own.test".to_owned())).await.unwrap().is_some());
        write!(db, tx => tenants::remove(tx, &tenant.id)).unwrap();
        assert!(catalogue.tenant(&tenant.id).await.unwrap().is_none());
    })
    .await;
}

#[tokio::test]
async fn a_change_of_another_node_acts_within_250_milliseconds() {
    on_each_empty(async |own| {
        let (here, there) = (open(own).await, open(own).await);
        let World { tenant, shop, .. } = World::store(&here).await;
        let hands = Hands::default();
        hands.set(1_000);
        let catalogue = catalogue(&here, &hands);
        let issuer = IssuerId::of_tenant(&tenant.id);
        let known = async || catalogue.client(&issuer, &shop.id).await.unwrap().is_some();
        assert!(known().await);
        write!(there, tx => clients::remove(tx, &shop.issuer, &shop.id)).unwrap();
        hands.set(1_249);
        assert!(known().await);
        hands.set(1_250);
        assert!(!known().await);

        write!(there, tx => clients::upsert(tx, shop)).unwrap();
        hands.set(0);
        assert!(known().await, "a clock set back makes the last look old");
        here.close().await;
        there.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_change_that_failed_is_not_seen() {
    on_each(async |db| {
        let World { tenant, shop, .. } = World::store(db).await;
        let catalogue = catalogue(db, &Hands::default());
        let issuer = IssuerId::of_tenant(&tenant.id);
        assert!(catalogue.client(&issuer, &shop.id).await.unwrap().is_some());
        let revision = catalogue.revision().await.unwrap();
        let failed = write!(db, tx => async {
            clients::remove(tx, &shop.issuer, &shop.id).await?;
            Err::<(), _>(vestibule::storage::Error::Conflict)
        });
        assert!(failed.is_err());
        assert!(catalogue.client(&issuer, &shop.id).await.unwrap().is_some());
        assert_eq!(catalogue.revision().await.unwrap(), revision);
        assert!(catalogue.client(&issuer, &ClientId::new("guess")).await.unwrap().is_none());
    })
    .await;
}

/// The owner of a future may stop polling it at any await, as `select!` over a set of futures does: neither a lock nor the
/// turn in a queue may lie in such a future. Before, one caller in the middle of a look kept all others waiting for good.
#[tokio::test]
async fn a_caller_that_is_not_polled_on_holds_up_no_other() {
    on_each(async |db| {
        let hands = Hands::default();
        let catalogue = catalogue(db, &hands);
        let mut stopped = Vec::new();
        for round in 0..8 {
            hands.set(round * 1_000);
            let mut callers: Vec<_> = (0..4).map(|_| Box::pin(catalogue.revision())).collect();
            for caller in &mut callers {
                assert!(caller.now_or_never().is_none(), "a look is due");
            }
            let answered = timeout(Duration::from_mins(1), catalogue.revision()).await;
            answered.expect("the look does not wait for those callers").unwrap();
            stopped.push(callers);
        }
        for caller in stopped.into_iter().flatten() {
            caller.await.unwrap();
        }
    })
    .await;
}
