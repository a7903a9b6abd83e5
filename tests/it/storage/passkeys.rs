//! Passkeys: unique among everybody, found by what their authenticators call them, and counting forwards only.

use vestibule::domain::ids::{AuthenticatorId, CredentialId, UserHandle};
use vestibule::domain::issuer::IssuerUrl;
use vestibule::domain::passkey::{Passkey, RpId};
use vestibule::domain::tenant::{Tenant, TenantPolicy};
use vestibule::domain::user::User;
use vestibule::storage::{passkeys, tenants, users};

use super::races::winners;
use super::rows::{NOW, World, keep, later, user};
use super::{on_each, read, write};

fn rp(host: &str) -> RpId {
    RpId::of(&IssuerUrl::parse(&format!("https://{host}")).unwrap()).unwrap()
}

fn passkey(user: &User, name: &str) -> &'static Passkey {
    keep(Passkey {
        id: AuthenticatorId::new(format!("{}/{name}", user.id)),
        user: user.id.clone(),
        user_handle: UserHandle::new(format!("handle of {}", user.id)),
        credential_id: CredentialId::new(format!("credential-{name}")),
        rp: rp("id.test"),
        credential: "{}".to_owned(),
        counter: 0,
        created_at: NOW,
        last_used_at: None,
    })
}

#[tokio::test]
async fn a_user_has_many_and_each_is_found_by_its_own_name() {
    on_each(async |db| {
        let World { tenant, anna, .. } = World::store(db).await;
        let (one, two) = (passkey(anna, "one"), passkey(anna, "two"));
        let has = async || read!(db, tx => users::credentials_by_id(tx, &anna.id)).unwrap().has.passkeys;
        assert!(!has().await);
        for new in [one, two] {
            assert!(write!(db, tx => passkeys::insert(tx, new)).unwrap());
        }
        assert!(has().await);
        assert!(
            read!(db, tx => users::credentials(tx, &tenant.id, Some(&anna.username))).unwrap().has.passkeys
        );
        assert!(read!(db, tx => users::all(tx, &tenant.id))[0].has.passkeys);
        assert_eq!(read!(db, tx => passkeys::of_user(tx, &anna.id)), [one.clone(), two.clone()]);
        assert_eq!(read!(db, tx => passkeys::by_credential(tx, &two.credential_id)).as_ref(), Some(two));
        assert_eq!(read!(db, tx => passkeys::by_credential(tx, &CredentialId::new("three"))), None);
        write!(db, tx => users::remove(tx, &anna.id)).unwrap();
        assert_eq!(read!(db, tx => passkeys::of_user(tx, &anna.id)), []);
    })
    .await;
}

#[tokio::test]
async fn what_one_has_registered_nobody_registers_again() {
    on_each(async |db| {
        let World { tenant, anna, .. } = World::store(db).await;
        let bert = user(tenant, "bert");
        write!(db, tx => users::upsert(tx, bert)).unwrap();
        let first = passkey(anna, "same");
        assert!(write!(db, tx => passkeys::insert(tx, first)).unwrap());
        let second = passkey(bert, "same");
        assert!(!write!(db, tx => passkeys::insert(tx, second)).unwrap());
        assert_eq!(read!(db, tx => passkeys::by_credential(tx, &first.credential_id)).as_ref(), Some(first));
    })
    .await;
}

#[tokio::test]
async fn the_counter_only_goes_forward() {
    on_each(async |db| {
        let World { anna, .. } = World::store(db).await;
        let (counts, never) = (passkey(anna, "counts"), passkey(anna, "never"));
        for new in [counts, never] {
            write!(db, tx => passkeys::insert(tx, new)).unwrap();
        }
        let accept = async |id: &'static AuthenticatorId, counter| {
            write!(db, tx => passkeys::accept(tx, id, counter, later(9))).unwrap()
        };
        for (counter, goes) in [(5, true), (5, false), (4, false), (0, false), (6, true)] {
            assert_eq!(accept(&counts.id, counter).await, goes, "{counter}");
        }
        assert!(accept(&never.id, 0).await && accept(&never.id, 0).await, "it does not count");
        assert!(!accept(keep(AuthenticatorId::new("gone")), 7).await);
        let stored = read!(db, tx => passkeys::by_credential(tx, &counts.credential_id)).unwrap();
        assert_eq!((stored.counter, stored.last_used_at), (6, Some(later(9))));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_uses_a_count_and_one_registers_a_key() {
    on_each(async |db| {
        let World { anna, .. } = World::store(db).await;
        let new = passkey(anna, "key");
        assert_eq!(winners(async |_| write!(db, tx => passkeys::insert(tx, new)).unwrap()).await, 1);
        let accept = async |_| write!(db, tx => passkeys::accept(tx, &new.id, 1, NOW)).unwrap();
        assert_eq!(winners(accept).await, 1);
    })
    .await;
}

/// Two who enrol at once for one user: the second finds what the first has added.
#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_saw_the_same_one_adds_to_it() {
    on_each(async |db| {
        let World { anna, .. } = World::store(db).await;
        let add = async |runner: usize| {
            let new = passkey(anna, &runner.to_string());
            let added = db.write(move |tx| {
                Box::pin(async move {
                    users::hold(tx, &anna.id).await?;
                    let held = passkeys::of_user(tx, &anna.id).await?;
                    Ok(held.is_empty() && passkeys::insert(tx, new).await?)
                })
            });
            added.await.unwrap()
        };
        assert_eq!(winners(add).await, 1);
        assert_eq!(read!(db, tx => passkeys::of_user(tx, &anna.id)).len(), 1);
    })
    .await;
}

#[tokio::test]
async fn one_is_removed_or_all_of_one_relying_party() {
    on_each(async |db| {
        let World { anna, .. } = World::store(db).await;
        let (here, also) = (passkey(anna, "here"), passkey(anna, "also"));
        let elsewhere = keep(Passkey { rp: rp("other.test"), ..passkey(anna, "elsewhere").clone() });
        for new in [here, also, elsewhere] {
            write!(db, tx => passkeys::insert(tx, new)).unwrap();
        }
        let left = async || read!(db, tx => passkeys::of_user(tx, &anna.id)).len();
        assert_eq!(write!(db, tx => passkeys::remove_others_at(tx, also)).unwrap(), 1);
        assert_eq!(left().await, 2);
        assert_eq!(write!(db, tx => passkeys::remove_at(tx, &anna.id, &also.rp)).unwrap(), 1);
        assert_eq!(read!(db, tx => passkeys::of_user(tx, &anna.id)), std::slice::from_ref(elsewhere));
        for there in [true, false] {
            assert_eq!(write!(db, tx => passkeys::remove(tx, &elsewhere.id)).unwrap(), there);
        }
    })
    .await;
}

#[tokio::test]
async fn a_tenants_policy_is_found_among_all() {
    on_each(async |db| {
        let World { tenant, .. } = World::store(db).await;
        let any = async || read!(db, tx => tenants::any_passkey_sign_in(tx));
        assert!(!any().await);
        let policy = TenantPolicy { passkey_sign_in: true, ..tenant.policy.clone() };
        let allows = keep(Tenant { policy, ..tenant.clone() });
        write!(db, tx => tenants::upsert(tx, allows)).unwrap();
        assert!(any().await);
        let disabled = keep(Tenant { disabled: true, ..allows.clone() });
        write!(db, tx => tenants::upsert(tx, disabled)).unwrap();
        assert!(!any().await);
    })
    .await;
}
