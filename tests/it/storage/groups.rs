//! Groups, their members, own scopes and APIs.

use std::sync::Arc;

use vestibule::domain::audience::ResourceIndicator;
use vestibule::domain::group::{Group, GroupName};
use vestibule::domain::ids::{GroupId, TenantId};
use vestibule::domain::issuer::IssuerUrl;
use vestibule::domain::own_scopes::{AccessTokenTyp, Api, OwnScope, OwnScopes, Title};
use vestibule::domain::scope::Scope;
use vestibule::ext::SystemClock;
use vestibule::storage::{Catalogue, Error, groups, own_scopes, tenants, users};

use super::rows::{World, keep, tenant, user};
use super::{on_each, read, write};

fn group(tenant: &TenantId, name: &str) -> &'static Group {
    keep(Group {
        id: GroupId::new(format!("{tenant}-{name}")),
        tenant: tenant.clone(),
        name: GroupName::parse(name).unwrap(),
    })
}

#[tokio::test]
async fn a_user_is_in_the_groups_that_were_said_last() {
    on_each(async |db| {
        let World { tenant, anna, .. } = World::store(db).await;
        // Byte order, whatever the database sorts by.
        let (big, small, umlaut) =
            (group(&tenant.id, "Zebra"), group(&tenant.id, "ant"), group(&tenant.id, "\u{c4}rzte"));
        for group in [small, umlaut, big] {
            write!(db, tx => groups::insert(tx, group)).unwrap();
        }
        assert_eq!(
            read!(db, tx => groups::all(tx, &tenant.id)),
            [big.clone(), small.clone(), umlaut.clone()]
        );
        assert_eq!(read!(db, tx => groups::by_name(tx, &tenant.id, &small.name)).as_ref(), Some(small));
        let set = async |all: &'static [GroupId]| write!(db, tx => groups::set_of_user(tx, &anna.id, all));
        set(keep([small.id.clone(), big.id.clone()])).await.unwrap();
        assert_eq!(read!(db, tx => groups::of_user(tx, &anna.id)), [big.clone(), small.clone()]);
        set(keep([small.id.clone()])).await.unwrap();
        assert_eq!(read!(db, tx => groups::of_user(tx, &anna.id)), std::slice::from_ref(small));
        let members = read!(db, tx => groups::members(tx, &tenant.id));
        assert_eq!(members, [(anna.id.clone(), small.name.clone())]);

        let unknown = set(keep([big.id.clone(), GroupId::new("unknown")])).await;
        assert!(matches!(unknown, Err(Error::Conflict)), "{unknown:?}");
        assert_eq!(read!(db, tx => groups::of_user(tx, &anna.id)), std::slice::from_ref(small));
        assert!(write!(db, tx => groups::remove(tx, &small.id)).unwrap());
        assert!(!write!(db, tx => groups::remove(tx, &small.id)).unwrap());
        assert!(read!(db, tx => groups::of_user(tx, &anna.id)).is_empty());
        assert!(read!(db, tx => users::by_id(tx, &anna.id)).is_some(), "members stay");
    })
    .await;
}

#[tokio::test]
async fn a_group_is_one_tenants() {
    on_each(async |db| {
        let World { tenant: one, anna, .. } = World::store(db).await;
        let two = tenant("two");
        let bert = user(two, "bert");
        write!(db, tx => tenants::upsert(tx, two)).unwrap();
        write!(db, tx => users::upsert(tx, bert)).unwrap();
        let (here, there) = (group(&one.id, "staff"), group(&two.id, "staff"));
        write!(db, tx => groups::insert(tx, here)).unwrap();
        write!(db, tx => groups::insert(tx, there)).unwrap();
        let twice = keep(Group { id: GroupId::new("another"), ..here.clone() });
        assert!(matches!(write!(db, tx => groups::insert(tx, twice)), Err(Error::Conflict)));
        let foreign = keep([there.id.clone()]);
        assert!(matches!(write!(db, tx => groups::set_of_user(tx, &anna.id, foreign)), Err(Error::Conflict)));
        write!(db, tx => groups::set_of_user(tx, &bert.id, foreign)).unwrap();
        assert!(write!(db, tx => users::remove(tx, &bert.id)).unwrap());
        assert!(read!(db, tx => groups::members(tx, &two.id)).is_empty());
        write!(db, tx => tenants::remove(tx, &two.id)).unwrap();
        assert!(read!(db, tx => groups::all(tx, &two.id)).is_empty());
        assert_eq!(read!(db, tx => groups::all(tx, &one.id)), std::slice::from_ref(here));
    })
    .await;
}

#[tokio::test]
async fn own_scopes_and_apis_are_cached_until_they_change() {
    on_each(async |db| {
        let root = IssuerUrl::parse("https://id.test").unwrap();
        let catalogue = Catalogue::new(db.clone(), Arc::new(SystemClock), root);
        assert_eq!(*catalogue.own_scopes().await.unwrap(), OwnScopes::default());
        let before = db.statements();
        catalogue.own_scopes().await.unwrap();
        assert_eq!(db.statements() - before, 0, "that there is nothing is known, too");

        let title = Title { en: "See".to_owned(), de: None, fr: Some("Voir".to_owned()) };
        let own =
            keep(OwnScope { name: "orders:read".to_owned(), title, claims: ["email".to_owned()].into() });
        let api = keep(Api {
            audience: ResourceIndicator::parse("https://orders.test").unwrap(),
            typ: AccessTokenTyp::Jwt,
            scopes: Scope::parse("orders:read"),
        });
        write!(db, tx => own_scopes::upsert(tx, own)).unwrap();
        write!(db, tx => own_scopes::upsert_api(tx, api)).unwrap();
        let seen = catalogue.own_scopes().await.unwrap();
        assert_eq!(
            (&seen.scopes[..], &seen.apis[..]),
            (std::slice::from_ref(own), std::slice::from_ref(api))
        );

        let changed = keep(Api { typ: AccessTokenTyp::AtJwt, scopes: Scope::default(), ..api.clone() });
        write!(db, tx => own_scopes::upsert_api(tx, changed)).unwrap();
        assert_eq!(catalogue.own_scopes().await.unwrap().apis, std::slice::from_ref(changed));
        assert!(write!(db, tx => own_scopes::remove_api(tx, &api.audience)).unwrap());
        assert!(write!(db, tx => own_scopes::remove(tx, &own.name)).unwrap());
        assert!(!write!(db, tx => own_scopes::remove(tx, &own.name)).unwrap());
        assert_eq!(*catalogue.own_scopes().await.unwrap(), OwnScopes::default());
    })
    .await;
}
