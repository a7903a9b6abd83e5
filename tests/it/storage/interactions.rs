//! Logins in progress.

use vestibule::domain::ids::{IssuerId, UserId};
use vestibule::domain::interaction::Interaction;
use vestibule::storage::{Error, interactions};

use super::rows::{FIRST, NOW, hash, interaction, keep, later};
use super::{on_each, read, write};

#[tokio::test]
async fn a_login_is_found_at_its_issuer_in_its_time() {
    on_each(async |db| {
        let root = IssuerId::root();
        let login = interaction("1");
        write!(db, tx => interactions::insert(tx, login)).unwrap();
        assert_eq!(read!(db, tx => interactions::by_id(tx, &login.id, &root, NOW)).as_ref(), Some(login));
        assert_eq!(read!(db, tx => interactions::by_id(tx, &login.id, &IssuerId::new("x"), NOW)), None);
        assert_eq!(read!(db, tx => interactions::by_id(tx, &login.id, &root, login.expires_at)), None);
        write!(db, tx => interactions::remove(tx, &login.id)).unwrap();
        assert!(matches!(write!(db, tx => interactions::remove(tx, &login.id)), Err(Error::Conflict)));
    })
    .await;
}

#[tokio::test]
async fn a_login_belongs_to_the_first_browser() {
    on_each(async |db| {
        let login = interaction("1");
        write!(db, tx => interactions::insert(tx, login)).unwrap();
        assert!(write!(db, tx => interactions::bind(tx, &login.id, hash("one"))).unwrap());
        assert!(!write!(db, tx => interactions::bind(tx, &login.id, hash("two"))).unwrap());
        let found = read!(db, tx => interactions::by_id(tx, &login.id, &login.issuer, NOW)).unwrap();
        assert_eq!(found.browser.as_ref(), Some(hash("one")));
    })
    .await;
}

/// Two tabs: the second post was made from a page that is no longer the current one.
#[tokio::test]
async fn of_two_changes_to_one_version_the_second_is_late() {
    on_each(async |db| {
        let login = interaction("1");
        write!(db, tx => interactions::insert(tx, login)).unwrap();
        let mut changed: Interaction = login.clone();
        changed.progress.password_proved(&UserId::new("anna"), FIRST, later(5));
        let changed = keep(changed);
        assert!(write!(db, tx => interactions::save(tx, changed)).unwrap());
        assert!(!write!(db, tx => interactions::save(tx, changed)).unwrap());
        let found = read!(db, tx => interactions::by_id(tx, &login.id, &login.issuer, NOW)).unwrap();
        assert_eq!(found, Interaction { version: 1, ..changed.clone() });
        let again = keep(found);
        assert!(write!(db, tx => interactions::save(tx, again)).unwrap());
    })
    .await;
}
