//! Users, authenticators and recovery codes.

use vestibule::domain::authenticator::{Authenticator, AuthenticatorState};
use vestibule::domain::user::User;
use vestibule::storage::{Error, authenticators, recovery_codes, tenants, users};

use super::rows::{NOW, World, authenticator, hash, keep, tenant, user};
use super::{on_each, read, write};

#[tokio::test]
async fn a_user_is_found_by_every_spelling_of_the_name() {
    on_each(async |db| {
        let World { tenant, anna, .. } = World::store(db).await;
        assert!(write!(db, tx => users::set_password(tx, &anna.id, Some("phc"))).unwrap());
        let found = read!(db, tx => users::credentials(tx, &tenant.id, &anna.username.key())).unwrap();
        assert_eq!((&found.user, found.password_hash.as_deref()), (anna, Some("phc")));
        assert_eq!(read!(db, tx => users::by_id(tx, &anna.id)).as_ref(), Some(anna));

        let changed = keep(User { disabled: true, roles: Vec::new(), ..anna.clone() });
        write!(db, tx => users::upsert(tx, changed)).unwrap();
        let all = read!(db, tx => users::all(tx, &tenant.id));
        assert_eq!(all.len(), 1);
        assert_eq!((&all[0].user, all[0].password_hash.as_deref()), (changed, Some("phc")));
        assert!(write!(db, tx => users::remove(tx, &anna.id)).unwrap());
        assert!(!write!(db, tx => users::remove(tx, &anna.id)).unwrap());
    })
    .await;
}

#[tokio::test]
async fn a_name_is_unique_in_its_tenant_only() {
    on_each(async |db| {
        let World { anna, .. } = World::store(db).await;
        let b = tenant("b");
        let namesake = user(b, "ANNA");
        let double = keep(User { id: namesake.id.clone(), ..anna.clone() });
        assert!(matches!(write!(db, tx => users::upsert(tx, double)), Err(Error::Conflict)));
        assert!(
            matches!(write!(db, tx => users::upsert(tx, namesake)), Err(Error::Conflict)),
            "no tenant yet"
        );
        write!(db, tx => tenants::upsert(tx, b)).unwrap();
        write!(db, tx => users::upsert(tx, namesake)).unwrap();
        assert_eq!(read!(db, tx => users::credentials(tx, &b.id, "anna")).unwrap().user, *namesake);
    })
    .await;
}

#[tokio::test]
async fn an_id_never_moves_to_another_tenant() {
    on_each(async |db| {
        let World { anna, .. } = World::store(db).await;
        let b = tenant("b");
        write!(db, tx => tenants::upsert(tx, b)).unwrap();
        let moved = keep(User { tenant: b.id.clone(), ..anna.clone() });
        assert!(matches!(write!(db, tx => users::upsert(tx, moved)), Err(Error::Conflict)));
        assert_eq!(read!(db, tx => users::by_id(tx, &anna.id)).as_ref(), Some(anna));
    })
    .await;
}

#[tokio::test]
async fn a_rehash_never_undoes_a_change_of_password() {
    on_each(async |db| {
        let World { tenant, anna, .. } = World::store(db).await;
        write!(db, tx => users::set_password(tx, &anna.id, Some("new"))).unwrap();
        assert!(!write!(db, tx => users::rehash_password(tx, &anna.id, "old", "old, stronger")).unwrap());
        assert!(write!(db, tx => users::rehash_password(tx, &anna.id, "new", "new, stronger")).unwrap());
        let found = read!(db, tx => users::credentials(tx, &tenant.id, "anna")).unwrap();
        assert_eq!(found.password_hash.as_deref(), Some("new, stronger"));
        write!(db, tx => users::set_password(tx, &anna.id, None)).unwrap();
        assert_eq!(read!(db, tx => users::credentials(tx, &tenant.id, "anna")).unwrap().password_hash, None);
    })
    .await;
}

#[tokio::test]
async fn a_pending_authenticator_counts_once_it_is_confirmed() {
    on_each(async |db| {
        let World { anna, .. } = World::store(db).await;
        let new = authenticator(anna, "new", AuthenticatorState::Pending);
        write!(db, tx => authenticators::insert(tx, new, "sealed")).unwrap();
        assert!(read!(db, tx => authenticators::active(tx, &anna.id)).is_none());
        let stored = read!(db, tx => authenticators::by_id(tx, &new.id)).unwrap();
        assert_eq!((&stored.authenticator, stored.sealed_secret.as_str()), (new, "sealed"));

        assert!(!write!(db, tx => authenticators::accept_step(tx, &new.id, 11, 0)).unwrap());
        assert!(write!(db, tx => authenticators::confirm(tx, &new.id, 11)).unwrap());
        assert!(!write!(db, tx => authenticators::confirm(tx, &new.id, 12)).unwrap());
        let active = read!(db, tx => authenticators::active(tx, &anna.id)).unwrap().authenticator;
        let expected =
            Authenticator { state: AuthenticatorState::Active, last_accepted_step: 11, ..new.clone() };
        assert_eq!(active, expected);
    })
    .await;
}

#[tokio::test]
async fn a_time_step_is_used_up() {
    on_each(async |db| {
        let World { anna, .. } = World::store(db).await;
        let own = authenticator(anna, "own", AuthenticatorState::Active);
        write!(db, tx => authenticators::insert(tx, own, "sealed")).unwrap();
        for (step, accepted) in [(10, false), (12, true), (12, false), (11, false), (13, true)] {
            let answer = write!(db, tx => authenticators::accept_step(tx, &own.id, step, -1)).unwrap();
            assert_eq!(answer, accepted, "{step}");
        }
        let stored = read!(db, tx => authenticators::active(tx, &anna.id)).unwrap().authenticator;
        assert_eq!((stored.last_accepted_step, stored.drift_steps), (13, -1));
    })
    .await;
}

#[tokio::test]
async fn a_new_authenticator_takes_the_others_place() {
    on_each(async |db| {
        let World { anna, tenant, .. } = World::store(db).await;
        let ben = user(tenant, "ben");
        let old = authenticator(anna, "old", AuthenticatorState::Active);
        let new = authenticator(anna, "new", AuthenticatorState::Pending);
        let begun = authenticator(anna, "begun", AuthenticatorState::Pending);
        let bens = authenticator(ben, "own", AuthenticatorState::Active);
        write!(db, tx => async {
            users::upsert(tx, ben).await?;
            for each in [old, new, begun, bens] {
                authenticators::insert(tx, each, "sealed").await?;
            }
            Ok(())
        })
        .unwrap();
        assert_eq!(write!(db, tx => authenticators::remove_pending(tx, &ben.id)).unwrap(), 0);
        let revoked = write!(db, tx => async {
            authenticators::confirm(tx, &new.id, 11).await?;
            authenticators::revoke_others(tx, &anna.id, &new.id).await
        });
        assert_eq!(revoked.unwrap(), 2);
        assert!(read!(db, tx => authenticators::by_id(tx, &old.id)).is_none());
        assert_eq!(read!(db, tx => authenticators::active(tx, &anna.id)).unwrap().authenticator.id, new.id);
        assert!(read!(db, tx => authenticators::active(tx, &ben.id)).is_some());
        assert_eq!(write!(db, tx => authenticators::remove_all(tx, &anna.id)).unwrap(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_recovery_code_counts_once_and_only_from_the_newest_set() {
    on_each(async |db| {
        let World { anna, tenant, .. } = World::store(db).await;
        let ben = user(tenant, "ben");
        write!(db, tx => users::upsert(tx, ben)).unwrap();
        let sets = keep([[hash("1").clone(), hash("2").clone()], [hash("3").clone(), hash("4").clone()]]);
        write!(db, tx => recovery_codes::replace(tx, &anna.id, &sets[0])).unwrap();
        write!(db, tx => recovery_codes::replace(tx, &anna.id, &sets[1])).unwrap();
        assert_eq!(read!(db, tx => recovery_codes::left(tx, &anna.id)), 2);
        let redeem = async |user: &'static User, code: &'static str| {
            write!(db, tx => recovery_codes::redeem(tx, &user.id, hash(code), NOW)).unwrap()
        };
        assert!(!redeem(anna, "1").await, "of the old set");
        assert!(!redeem(ben, "3").await, "somebody else's");
        assert!(redeem(anna, "3").await);
        assert!(!redeem(anna, "3").await, "used");
        assert_eq!(read!(db, tx => recovery_codes::left(tx, &anna.id)), 1);
    })
    .await;
}
