//! Imported password hashes and the shares of their schemes.

use vestibule::domain::epoch::Epoch;
use vestibule::domain::ids::UserId;
use vestibule::domain::user::{User, Username};
use vestibule::storage::imported_passwords::{self, SchemeShares};
use vestibule::storage::{tenants, users};

use super::rows::{World, hash, keep, tenant};
use super::{on_each, read, write};

#[tokio::test]
async fn an_imported_hash_is_renewed_once_and_its_source_stays_known() {
    on_each(async |db| {
        let World { anna, .. } = World::store(db).await;
        let source = hash("source");
        assert!(
            write!(db, tx => imported_passwords::set(tx, &anna.id, "old", "bcrypt,c=12", source)).unwrap()
        );
        let found = read!(db, tx => users::credentials_by_id(tx, &anna.id)).unwrap();
        assert_eq!(found.password_hash.as_deref(), Some("old"));
        assert_eq!(found.password_scheme.as_deref(), Some("bcrypt,c=12"));
        assert_eq!(found.password_source.as_ref(), Some(source));

        assert!(write!(db, tx => users::rehash_password(tx, &anna.id, "old", "ours")).unwrap());
        assert!(!write!(db, tx => users::rehash_password(tx, &anna.id, "old", "late")).unwrap());
        let found = read!(db, tx => users::credentials_by_id(tx, &anna.id)).unwrap();
        assert_eq!((found.password_hash.as_deref(), found.password_scheme), (Some("ours"), None));
        assert_eq!(found.password_source.as_ref(), Some(source));
    })
    .await;
}

#[tokio::test]
async fn a_changed_password_wins_over_a_rehash_and_has_no_source() {
    on_each(async |db| {
        let World { anna, .. } = World::store(db).await;
        let source = hash("source");
        for own_choice in [true, false] {
            let epoch = read!(db, tx => users::by_id(tx, &anna.id)).unwrap().epoch;
            write!(db, tx => imported_passwords::set(tx, &anna.id, "old", "ssha", source)).unwrap();
            if own_choice {
                assert!(write!(db, tx => users::change_password(tx, &anna.id, "new", epoch)).unwrap());
            } else {
                assert!(write!(db, tx => users::set_password(tx, &anna.id, Some("new"))).unwrap());
            }
            assert!(!write!(db, tx => users::rehash_password(tx, &anna.id, "old", "ours")).unwrap());
            let found = read!(db, tx => users::credentials_by_id(tx, &anna.id)).unwrap();
            assert_eq!(found.password_hash.as_deref(), Some("new"));
            assert_eq!((found.password_scheme, found.password_source), (None, None));
        }
    })
    .await;
}

#[tokio::test]
async fn schemes_are_counted_by_tenant() {
    on_each(async |db| {
        let World { tenant: own, anna, .. } = World::store(db).await;
        let other = tenant("other");
        write!(db, tx => tenants::upsert(tx, other)).unwrap();
        let none = read!(db, tx => imported_passwords::shares(tx, Some(&own.id)));
        assert_eq!(none, SchemeShares::default());
        for (name, place, scheme) in [
            ("bea", own, Some("ssha")),
            ("cid", own, Some("bcrypt,c=12")),
            ("dan", own, Some("ssha")),
            ("eva", other, None),
        ] {
            let user = keep(User {
                id: UserId::new(name),
                tenant: place.id.clone(),
                username: Username::parse(name).unwrap(),
                epoch: Epoch::default(),
                ..anna.clone()
            });
            write!(db, tx => users::upsert(tx, user)).unwrap();
            if let Some(scheme) = scheme {
                write!(db, tx => imported_passwords::set(tx, &user.id, "old", scheme, hash(name))).unwrap();
            }
        }
        let imported = vec![("bcrypt,c=12".to_owned(), 1), ("ssha".to_owned(), 2)];
        let shares = read!(db, tx => imported_passwords::shares(tx, Some(&own.id)));
        assert_eq!(shares, SchemeShares { imported: imported.clone(), users: 4 });
        let of_other = read!(db, tx => imported_passwords::shares(tx, Some(&other.id)));
        assert_eq!(of_other, SchemeShares::default());
        let of_all = read!(db, tx => imported_passwords::shares(tx, None));
        assert_eq!(of_all, SchemeShares { imported, users: 5 });
        let drawn: Vec<_> = (0..4).map(|quarter| shares.at(quarter << 62)).collect();
        assert_eq!(drawn, [Some("bcrypt,c=12"), Some("ssha"), Some("ssha"), None]);
    })
    .await;
}

/// Otherwise a name whose check changes its duration with the number of users would be recognised as unknown.
#[test]
fn a_point_that_has_met_our_own_scheme_stays_there() {
    let shares =
        |imported, users| SchemeShares { imported: vec![("bcrypt,c=12".to_owned(), imported)], users };
    let points = (0..1000_u64).map(|n| n.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let own: Vec<_> = points.filter(|point| shares(6, 12).at(*point).is_none()).collect();
    assert!((400..600).contains(&own.len()), "{}", own.len());
    for (imported, users) in [(6, 13), (6, 14), (6, 1000), (5, 12), (5, 13), (0, 12)] {
        assert!(
            own.iter().all(|point| shares(imported, users).at(*point).is_none()),
            "{imported} of {users}"
        );
    }
    assert_eq!(SchemeShares::default().at(u64::MAX), None);
}
