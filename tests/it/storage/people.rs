//! Users, authenticators and recovery codes.

use vestibule::domain::authenticator::{
    Authenticator, AuthenticatorKind, AuthenticatorState, Pin, PinPosition, TotpParameters,
};
use vestibule::domain::contact::{EmailAddress, PhoneNumber};
use vestibule::domain::ids::{AuthenticatorId, IssuerId, UserId};
use vestibule::domain::user::{ComputerName, User};
use vestibule::storage::{Error, authenticators, clients, recovery_codes, tenants, users};

use super::rows::{FIRST, NOW, World, authenticator, client, hash, keep, later, tenant, user};
use super::{on_each, read, write};

#[tokio::test]
async fn a_user_is_found_by_every_spelling_of_the_name() {
    on_each(async |db| {
        let World { tenant, anna, .. } = World::store(db).await;
        assert!(write!(db, tx => users::set_password(tx, &anna.id, Some("phc"))).unwrap());
        let found = read!(db, tx => users::credentials(tx, &tenant.id, Some(&anna.username))).unwrap();
        assert_eq!((&found.user, found.password_hash.as_deref()), (anna, Some("phc")));
        assert_eq!(read!(db, tx => users::by_id(tx, &anna.id)).as_ref(), Some(anna));

        let changed = keep(User { disabled: true, epoch: FIRST.next(), roles: Vec::new(), ..anna.clone() });
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
        assert_eq!(
            read!(db, tx => users::credentials(tx, &b.id, Some(&anna.username))).unwrap().user,
            *namesake
        );
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
        let found = read!(db, tx => users::credentials(tx, &tenant.id, Some(&anna.username))).unwrap();
        assert_eq!(found.password_hash.as_deref(), Some("new, stronger"));
        write!(db, tx => users::set_password(tx, &anna.id, None)).unwrap();
        assert_eq!(
            read!(db, tx => users::credentials(tx, &tenant.id, Some(&anna.username))).unwrap().password_hash,
            None
        );
    })
    .await;
}

#[tokio::test]
async fn a_pending_authenticator_counts_once_it_is_confirmed() {
    on_each(async |db| {
        let World { anna, .. } = World::store(db).await;
        let new = authenticator(anna, "new", AuthenticatorState::Pending);
        write!(db, tx => authenticators::insert(tx, new, Some("sealed"))).unwrap();
        assert!(read!(db, tx => authenticators::active(tx, &anna.id)).is_none());
        let stored = read!(db, tx => authenticators::by_id(tx, &new.id)).unwrap();
        assert_eq!((&stored.authenticator, stored.sealed_secret.as_deref()), (new, Some("sealed")));

        assert!(!write!(db, tx => authenticators::accept(tx, &new.id, 11, 0, NOW)).unwrap());
        assert!(write!(db, tx => authenticators::confirm(tx, &new.id, 11, NOW)).unwrap());
        assert!(!write!(db, tx => authenticators::confirm(tx, &new.id, 12, NOW)).unwrap());
        let active = read!(db, tx => authenticators::active(tx, &anna.id)).unwrap().authenticator;
        let expected = Authenticator {
            state: AuthenticatorState::Active,
            last_accepted: 11,
            last_used_at: Some(NOW),
            ..new.clone()
        };
        assert_eq!(active, expected);
    })
    .await;
}

#[tokio::test]
async fn a_time_step_is_used_up() {
    on_each(async |db| {
        let World { anna, .. } = World::store(db).await;
        let own = authenticator(anna, "own", AuthenticatorState::Active);
        write!(db, tx => authenticators::insert(tx, own, Some("sealed"))).unwrap();
        for (step, accepted) in [(10, false), (12, true), (12, false), (11, false), (13, true)] {
            let answer = write!(db, tx => authenticators::accept(tx, &own.id, step, -1, NOW)).unwrap();
            assert_eq!(answer, accepted, "{step}");
        }
        let stored = read!(db, tx => authenticators::active(tx, &anna.id)).unwrap().authenticator;
        assert_eq!((stored.last_accepted, stored.kind.drift(), stored.last_used_at), (13, -1, Some(NOW)));
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
                authenticators::insert(tx, each, Some("sealed")).await?;
            }
            Ok(())
        })
        .unwrap();
        assert_eq!(write!(db, tx => authenticators::remove_pending(tx, &ben.id)).unwrap(), 0);
        let revoked = write!(db, tx => async {
            authenticators::confirm(tx, &new.id, 11, NOW).await?;
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

/// Counter 0 is the first code of a device that counts (RFC 4226 §5.2): it can be used, and once.
#[tokio::test]
async fn every_kind_comes_back_as_it_was_and_a_counter_begins_at_nought() {
    on_each(async |db| {
        let World { anna, .. } = World::store(db).await;
        let kinds = [
            AuthenticatorKind::Totp {
                parameters: TotpParameters { period: 60, ..TotpParameters::default() },
                drift: -3,
            },
            AuthenticatorKind::Hotp { digits: 8 },
            AuthenticatorKind::Sms { number: PhoneNumber::parse("+4915112345678", None).unwrap() },
            AuthenticatorKind::Mail { address: EmailAddress::parse("anna@example.test").unwrap() },
        ];
        for (n, kind) in kinds.into_iter().enumerate() {
            let id = AuthenticatorId::new(n.to_string());
            let (has_secret, pending) =
                (kind.has_secret(), Authenticator::pending(id, anna.id.clone(), kind, NOW));
            let new = keep(Authenticator {
                serial: Some("A-17".to_owned()),
                pin: Some(Pin { sealed_hash: "phc".to_owned(), position: PinPosition::After }),
                name: Some("on the desk".to_owned()),
                state: AuthenticatorState::Active,
                ..pending
            });
            write!(db, tx => authenticators::insert(tx, new, has_secret.then_some("sealed"))).unwrap();
            let stored = read!(db, tx => authenticators::by_id(tx, &new.id)).unwrap();
            assert_eq!((&stored.authenticator, stored.sealed_secret.is_some()), (new, has_secret));
            let first = async || write!(db, tx => authenticators::accept(tx, &new.id, 0, 0, NOW)).unwrap();
            assert!(first().await);
            assert!(!first().await);
        }
    })
    .await;
}

#[tokio::test]
async fn the_office_computer_is_asked_for_once_in_an_enrolment() {
    on_each(async |db| {
        let World { anna, .. } = World::store(db).await;
        let found = async || read!(db, tx => users::credentials_by_id(tx, &anna.id)).unwrap();
        assert!(found().await.desktop_unasked);
        write!(db, tx => users::desktop_asked(tx, &anna.id, None, later(1))).unwrap();
        let skipped = found().await;
        assert!(!skipped.desktop_unasked);
        assert_eq!(&skipped.user, anna, "skipping stores nothing");
        let name = keep(ComputerName::parse("pc-7").unwrap());
        write!(db, tx => users::desktop_asked(tx, &anna.id, Some(name), later(1))).unwrap();
        let given = found().await.user;
        assert_eq!((given.personal_desktop.as_ref(), given.updated_at), (Some(name), later(1)));
    })
    .await;
}

/// RFC 9700 §4.15. What was there before stays, and can be changed.
#[tokio::test]
async fn an_id_is_a_users_or_a_clients() {
    on_each(async |db| {
        let World { tenant, anna, .. } = World::store(db).await;
        let root = IssuerId::root();
        let impostor = client(root.clone(), anna.id.as_str());
        assert!(matches!(write!(db, tx => clients::upsert(tx, impostor)), Err(Error::Conflict)));
        let shop = client(root.clone(), "a-shop");
        write!(db, tx => clients::upsert(tx, shop)).unwrap();
        write!(db, tx => clients::upsert(tx, shop)).unwrap();
        let impostor = keep(User { id: UserId::new("a-shop"), ..user(tenant, "eve").clone() });
        assert!(matches!(write!(db, tx => users::upsert(tx, impostor)), Err(Error::Conflict)));
        write!(db, tx => users::upsert(tx, anna)).unwrap();
    })
    .await;
}
