//! Resellers, upstream providers, who is linked there, who is invited, and who is on the way.

use std::future::ready;

use vestibule::domain::ids::{ResellerId, UpstreamId};
use vestibule::domain::tenant::Tenant;
use vestibule::domain::upstream::{Owner, Reseller, Slug, Upstream, UpstreamAccount, UpstreamRules};
use vestibule::storage::upstream_states::{self, UpstreamState};
use vestibule::storage::upstreams::{self, StoredUpstream};
use vestibule::storage::{
    Db, Error, interactions, link_invitations, resellers, tenants, upstream_accounts, users,
};

use super::rows::{FIRST, NOW, hash, interaction, keep, later, tenant, user};
use super::{on_each, read, write};

fn reseller() -> &'static Reseller {
    keep(Reseller {
        id: ResellerId::new("r"),
        name: Slug::parse("north").unwrap(),
        title: "North Systems".to_owned(),
    })
}

pub(super) fn upstream(name: &str, owner: Owner) -> &'static StoredUpstream {
    keep(StoredUpstream {
        upstream: Upstream {
            id: UpstreamId::new(format!("upstream-{name}")),
            name: Slug::parse(name).unwrap(),
            owner,
            title: format!("{name} account"),
            issuer: "https://login.north.test/".to_owned(),
            client_id: "vestibule".to_owned(),
            rules: UpstreamRules { mfa_acr: vec!["mfa".to_owned()], ..UpstreamRules::default() },
        },
        sealed_secret: Some("sealed".to_owned()),
    })
}

/// A reseller with one tenant, and an upstream provider of each.
async fn house(db: &Db) -> (&'static Tenant, &'static StoredUpstream, &'static StoredUpstream) {
    let (reseller, plain) = (reseller(), tenant("a"));
    let managed = keep(Tenant { reseller: Some(reseller.id.clone()), ..plain.clone() });
    let north = upstream("north", Owner::Reseller(reseller.id.clone()));
    let own = upstream("own", Owner::Tenant(managed.id.clone()));
    write!(db, tx => resellers::upsert(tx, reseller)).unwrap();
    write!(db, tx => tenants::upsert(tx, managed)).unwrap();
    write!(db, tx => tenants::upsert(tx, tenant("b"))).unwrap();
    write!(db, tx => upstreams::upsert(tx, own)).unwrap();
    write!(db, tx => upstreams::upsert(tx, north)).unwrap();
    (managed, north, own)
}

#[tokio::test]
async fn a_tenants_people_sign_in_at_its_own_and_its_resellers() {
    on_each(async |db| {
        let (managed, north, own) = house(db).await;
        assert_eq!(read!(db, tx => tenants::by_id(tx, &managed.id)).as_ref(), Some(managed));
        assert_eq!(read!(db, tx => upstreams::by_name(tx, "north")).as_ref(), Some(north));
        assert_eq!(read!(db, tx => upstreams::of_tenant(tx, &managed.id)), [north.clone(), own.clone()]);
        assert_eq!(read!(db, tx => upstreams::of_tenant(tx, &tenant("b").id)), []);
        assert_eq!(read!(db, tx => upstreams::of_resellers(tx)), std::slice::from_ref(north));
        assert_eq!(read!(db, tx => resellers::by_name(tx, "north")).as_ref(), Some(reseller()));
        let holders = read!(db, tx => resellers::holders(tx, &reseller().id));
        assert_eq!(holders, ["tenant a.sms", "upstream north"]);
        assert!(matches!(write!(db, tx => resellers::remove(tx, &reseller().id)), Err(Error::Conflict)));
        let thief = keep(StoredUpstream {
            sealed_secret: None,
            ..upstream("thief", own.upstream.owner.clone()).clone()
        });
        let thief = keep(StoredUpstream {
            upstream: Upstream { name: north.upstream.name.clone(), ..thief.upstream.clone() },
            ..thief.clone()
        });
        assert!(matches!(write!(db, tx => upstreams::upsert(tx, thief)), Err(Error::Conflict)));
    })
    .await;
}

#[tokio::test]
async fn a_subject_is_linked_with_one_account_and_once() {
    on_each(async |db| {
        let (managed, north, _) = house(db).await;
        let (anna, bert) = (user(managed, "anna"), user(managed, "bert"));
        let id = &north.upstream.id;
        for user in [anna, bert] {
            write!(db, tx => users::upsert(tx, user)).unwrap();
        }
        assert!(write!(db, tx => upstream_accounts::link(tx, &anna.id, id, "nora")).unwrap());
        assert!(
            !write!(db, tx => upstream_accounts::link(tx, &anna.id, id, "other")).unwrap(),
            "linked already"
        );
        assert!(matches!(
            write!(db, tx => upstream_accounts::link(tx, &bert.id, id, "nora")),
            Err(Error::Conflict)
        ));
        assert_eq!(read!(db, tx => upstream_accounts::user(tx, id, "nora")).as_ref(), Some(&anna.id));
        assert_eq!(read!(db, tx => upstream_accounts::user(tx, id, "Nora")), None);
        let account = UpstreamAccount { upstream: id.clone(), subject: Some("nora".to_owned()) };
        let found = read!(db, tx => users::by_id(tx, &anna.id)).unwrap();
        assert_eq!(found.upstream.as_ref(), Some(&account));
        write!(db, tx => users::upsert(tx, anna)).unwrap();
        let found = read!(db, tx => users::by_id(tx, &anna.id)).unwrap();
        assert_eq!(found.upstream, Some(account), "who changes the profile does not change that");
        assert!(
            !write!(db, tx => users::change_password(tx, &anna.id, "$hash", FIRST)).unwrap(),
            "no password here"
        );
        assert_eq!(read!(db, tx => upstreams::holders(tx, id)), ["user a.sms/anna"]);
        assert!(matches!(write!(db, tx => upstreams::remove(tx, id)), Err(Error::Conflict)));
        write!(db, tx => upstream_accounts::set(tx, &anna.id, None)).unwrap();
        assert!(write!(db, tx => upstreams::remove(tx, id)).unwrap());
    })
    .await;
}

#[tokio::test]
async fn a_tenant_goes_with_those_who_are_linked_at_its_own_provider() {
    on_each(async |db| {
        let (managed, _, own) = house(db).await;
        let anna = user(managed, "anna");
        write!(db, tx => users::upsert(tx, anna)).unwrap();
        assert!(write!(db, tx => upstream_accounts::link(tx, &anna.id, &own.upstream.id, "nora")).unwrap());
        assert!(write!(db, tx => tenants::remove(tx, &managed.id)).unwrap());
        assert_eq!(read!(db, tx => upstreams::by_name(tx, "own")), None);
        assert_eq!(read!(db, tx => users::by_id(tx, &anna.id)), None);
    })
    .await;
}

#[tokio::test]
async fn an_invitation_counts_once_in_its_time_at_its_provider() {
    on_each(async |db| {
        let (managed, north, own) = house(db).await;
        let anna = user(managed, "anna");
        write!(db, tx => users::upsert(tx, anna)).unwrap();
        let (id, other) = (&north.upstream.id, &own.upstream.id);
        let until = later(60);
        write!(db, tx => link_invitations::put(tx, &anna.id, id, hash("old"), FIRST, until)).unwrap();
        write!(db, tx => link_invitations::put(tx, &anna.id, id, hash("new"), FIRST, until)).unwrap();
        assert_eq!(read!(db, tx => link_invitations::invited(tx, id, hash("old"), NOW)), None);
        assert_eq!(
            read!(db, tx => link_invitations::invited(tx, id, hash("new"), NOW)).as_ref(),
            Some(&anna.id)
        );
        assert_eq!(read!(db, tx => link_invitations::invited(tx, other, hash("new"), NOW)), None);
        assert_eq!(read!(db, tx => link_invitations::invited(tx, id, hash("new"), until)), None);
        assert!(!write!(db, tx => link_invitations::redeem(tx, &anna.id, other, hash("new"), NOW)).unwrap());
        assert!(!write!(db, tx => link_invitations::redeem(tx, &anna.id, id, hash("new"), until)).unwrap());
        let redeem =
            async || write!(db, tx => link_invitations::redeem(tx, &anna.id, id, hash("new"), NOW)).unwrap();
        let (a, b) = tokio::join!(redeem(), redeem());
        assert!(a != b, "of two at once, one");
    })
    .await;
}

#[tokio::test]
async fn a_departure_comes_back_once_and_is_known_as_long_as_its_login() {
    on_each(async |db| {
        let (_, north, _) = house(db).await;
        let login = interaction("1");
        let departure = |state: &str, seconds| {
            keep(UpstreamState {
                state: hash(state).clone(),
                interaction: login.id.clone(),
                upstream: north.upstream.id.clone(),
                departed_at: later(seconds),
            })
        };
        let first = departure("first", 0);
        assert!(
            matches!(write!(db, tx => upstream_states::insert(tx, first)), Err(Error::Conflict)),
            "no login"
        );
        write!(db, tx => ready(interactions::queue_insert(tx, login))).unwrap();
        write!(db, tx => upstream_states::insert(tx, first)).unwrap();
        let found = read!(db, tx => upstream_states::by_state(tx, &first.state, &login.issuer, NOW));
        assert_eq!(found.as_ref(), Some(first));
        let late = login.expires_at;
        assert_eq!(read!(db, tx => upstream_states::by_state(tx, &first.state, &login.issuer, late)), None);
        let claim = async || write!(db, tx => upstream_states::claim(tx, &first.state)).unwrap();
        let (a, b) = tokio::join!(claim(), claim());
        assert!(a != b, "of two at once, one");
        for second in 1..=8 {
            let next = departure(&format!("tab {second}"), second);
            write!(db, tx => upstream_states::insert(tx, next)).unwrap();
        }
        let issuer = &login.issuer;
        assert_eq!(
            read!(db, tx => upstream_states::by_state(tx, &first.state, issuer, NOW)),
            None,
            "of many tabs the oldest"
        );
        assert!(read!(db, tx => upstream_states::by_state(tx, hash("tab 1"), issuer, NOW)).is_some());
        write!(db, tx => ready(interactions::queue_remove(tx, &login.id))).unwrap();
        assert_eq!(read!(db, tx => upstream_states::by_state(tx, hash("tab 8"), issuer, NOW)), None);
    })
    .await;
}
