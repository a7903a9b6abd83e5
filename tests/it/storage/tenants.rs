//! Tenants, issuers, clients and keys.

use vestibule::domain::client::{Client, SigningAlgorithm};
use vestibule::domain::ids::{ClientId, IssuerId, KeyId};
use vestibule::domain::issuer::{IssuerAddress, IssuerUrl};
use vestibule::domain::tenant::Tenant;
use vestibule::storage::keys::{self, StoredKey};
use vestibule::storage::{Error, clients, issuers, tenants, users};

use super::rows::{FIRST, NOW, World, client, keep, tenant};
use super::{on_each, read, write};

#[tokio::test]
async fn a_tenant_is_stored_changed_and_found() {
    on_each(async |db| {
        let (a, b) = (tenant("a"), tenant("b"));
        write!(db, tx => tenants::upsert(tx, b)).unwrap();
        write!(db, tx => tenants::upsert(tx, a)).unwrap();
        assert_eq!(read!(db, tx => tenants::by_id(tx, &a.id)).as_ref(), Some(a));
        assert_eq!(read!(db, tx => tenants::all(tx)), [a.clone(), b.clone()]);

        let changed =
            keep(Tenant { disabled: true, epoch: FIRST.next(), name: "New".to_owned(), ..a.clone() });
        write!(db, tx => tenants::upsert(tx, changed)).unwrap();
        assert_eq!(read!(db, tx => tenants::by_domain(tx, &a.domain)).as_ref(), Some(changed));
        assert_eq!(read!(db, tx => tenants::by_id(tx, &b.id)).as_ref(), Some(b));
    })
    .await;
}

#[tokio::test]
async fn a_domain_belongs_to_one_tenant() {
    on_each(async |db| {
        let (a, b) = (tenant("a"), tenant("b"));
        let thief = keep(Tenant { domain: a.domain.clone(), ..b.clone() });
        write!(db, tx => tenants::upsert(tx, a)).unwrap();
        assert!(matches!(write!(db, tx => tenants::upsert(tx, thief)), Err(Error::Conflict)));
        assert_eq!(read!(db, tx => tenants::all(tx)), std::slice::from_ref(a));
    })
    .await;
}

#[tokio::test]
async fn a_removed_tenant_takes_everything_along() {
    on_each(async |db| {
        let world = World::store(db).await;
        world.code(db, "1").await;
        let key = keep(key(&IssuerId::of_tenant(&world.tenant.id), "k", SigningAlgorithm::Es256));
        assert!(write!(db, tx => keys::insert_first(tx, key)).unwrap());
        assert!(write!(db, tx => tenants::remove(tx, &world.tenant.id)).unwrap());
        assert!(!write!(db, tx => tenants::remove(tx, &world.tenant.id)).unwrap());
        assert!(read!(db, tx => users::by_id(tx, &world.anna.id)).is_none());
        assert!(read!(db, tx => clients::all(tx)).is_empty());
        assert!(read!(db, tx => keys::of_issuer(tx, &key.issuer)).is_empty());
    })
    .await;
}

#[tokio::test]
async fn an_address_selects_the_issuer_that_owns_it() {
    on_each(async |db| {
        let root = IssuerUrl::parse("http://localhost:8080/id").unwrap();
        let (a, b) = (tenant("a"), tenant("b"));
        write!(db, tx => async {
            tenants::upsert(tx, a).await?;
            tenants::upsert(tx, b).await?;
            issuers::set_hosts(tx, &a.id, &["Login.Example.Test".to_owned(), "b.test".to_owned()]).await
        })
        .unwrap();
        let addresses = [
            (IssuerAddress::Root, "root".to_owned(), "http://localhost:8080/id"),
            (IssuerAddress::Tenant(b.domain.clone()), b.id.to_string(), "http://localhost:8080/id/t/b.sms"),
            (
                IssuerAddress::Host("login.example.test".to_owned()),
                format!("{}/login.example.test", a.id),
                "http://login.example.test:8080/id",
            ),
        ];
        for (address, id, url) in addresses {
            let issuer = read!(db, tx => issuers::by_address(tx, &root, &address)).unwrap();
            assert_eq!((issuer.id.as_str(), issuer.url.as_str()), (id.as_str(), url));
            assert_eq!(issuer.tenant, issuer.id.tenant());
            assert_eq!(read!(db, tx => issuers::by_id(tx, &root, &issuer.id)), Some(issuer));
        }
        let nobody = IssuerAddress::Host("evil.test".to_owned());
        assert!(read!(db, tx => issuers::by_address(tx, &root, &nobody)).is_none());
        let not_its_host = IssuerId::of_host(&b.id, "b.test");
        assert!(read!(db, tx => issuers::by_id(tx, &root, &not_its_host)).is_none());

        let taken = write!(db, tx => issuers::set_hosts(tx, &b.id, keep(["b.test".to_owned()])));
        assert!(matches!(taken, Err(Error::Conflict)));
        write!(db, tx => issuers::set_hosts(tx, &a.id, keep(["c.test".to_owned()]))).unwrap();
        assert_eq!(read!(db, tx => issuers::hosts(tx, &a.id)), ["c.test"]);
    })
    .await;
}

#[tokio::test]
async fn a_client_is_seen_where_it_belongs() {
    on_each(async |db| {
        let world = World::store(db).await;
        let id = ClientId::new("shop");
        let open = client(IssuerId::root(), "shop");
        write!(db, tx => clients::upsert(tx, open)).unwrap();
        let (path, host) =
            (IssuerId::of_tenant(&world.tenant.id), IssuerId::of_host(&world.tenant.id, "x.test"));
        assert_eq!(read!(db, tx => clients::by_id(tx, &path, &id)).as_ref(), Some(world.shop));
        assert_eq!(read!(db, tx => clients::by_id(tx, &host, &id)).as_ref(), Some(world.shop));
        assert_eq!(read!(db, tx => clients::by_id(tx, &IssuerId::root(), &id)).as_ref(), Some(open));
        assert!(read!(db, tx => clients::by_id(tx, &IssuerId::new("other"), &id)).is_none());
        assert_eq!(read!(db, tx => clients::all(tx)), [open.clone(), world.shop.clone()]);

        let changed = keep(Client { disabled: true, epoch: FIRST.next(), ..world.shop.clone() });
        write!(db, tx => clients::upsert(tx, changed)).unwrap();
        assert_eq!(read!(db, tx => clients::by_id(tx, &path, &id)).as_ref(), Some(changed));
        assert!(write!(db, tx => clients::remove(tx, &changed.issuer, &changed.id)).unwrap());
        assert_eq!(read!(db, tx => clients::all(tx)), std::slice::from_ref(open));
    })
    .await;
}

#[tokio::test]
async fn an_issuer_has_one_first_key_of_an_algorithm() {
    on_each(async |db| {
        let root = IssuerId::root();
        let first = keep(key(&root, "1", SigningAlgorithm::Es256));
        let second = keep(key(&root, "2", SigningAlgorithm::Es256));
        let other = keep(key(&root, "3", SigningAlgorithm::EdDsa));
        assert!(write!(db, tx => keys::insert_first(tx, first)).unwrap());
        assert!(!write!(db, tx => keys::insert_first(tx, second)).unwrap());
        assert!(write!(db, tx => keys::insert_first(tx, other)).unwrap());
        let stored = read!(db, tx => keys::of_issuer(tx, &root));
        let seen: Vec<_> =
            stored.iter().map(|key| (key.id.as_str(), key.algorithm, key.sealed.as_str())).collect();
        assert_eq!(
            seen,
            [("1", SigningAlgorithm::Es256, "sealed"), ("3", SigningAlgorithm::EdDsa, "sealed")]
        );
    })
    .await;
}

pub(super) fn key(issuer: &IssuerId, id: &str, algorithm: SigningAlgorithm) -> StoredKey {
    StoredKey {
        id: KeyId::new(id),
        issuer: issuer.clone(),
        algorithm,
        generation: 0,
        sealed: "sealed".to_owned(),
        created_at: NOW,
        signs_from: NOW,
        leaves_at: None,
        published: true,
    }
}
