//! Logins in progress.

use std::future::ready;

use vestibule::domain::ids::{InteractionId, IssuerId, UserId};
use vestibule::domain::interaction::Interaction;
use vestibule::storage::{Error, interactions};

use super::rows::{FIRST, NOW, hash, interaction, keep, later};
use super::{on_each, read, write};

#[tokio::test]
async fn a_login_is_found_at_its_issuer_in_its_time() {
    on_each(async |db| {
        let root = IssuerId::root();
        let login = interaction("1");
        write!(db, tx => ready(interactions::queue_insert(tx, login))).unwrap();
        assert_eq!(read!(db, tx => interactions::by_id(tx, &login.id, &root, NOW)).as_ref(), Some(login));
        assert_eq!(read!(db, tx => interactions::by_id(tx, &login.id, &IssuerId::new("x"), NOW)), None);
        assert_eq!(read!(db, tx => interactions::by_id(tx, &login.id, &root, login.expires_at)), None);
        write!(db, tx => ready(interactions::queue_remove(tx, &login.id))).unwrap();
        assert!(matches!(
            write!(db, tx => ready(interactions::queue_remove(tx, &login.id))),
            Err(Error::Conflict)
        ));
    })
    .await;
}

#[tokio::test]
async fn a_login_belongs_to_the_first_browser() {
    on_each(async |db| {
        let login = interaction("1");
        write!(db, tx => ready(interactions::queue_insert(tx, login))).unwrap();
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
        write!(db, tx => ready(interactions::queue_insert(tx, login))).unwrap();
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

/// A login that counts in a network, this many seconds from now.
fn waiting(
    name: &str,
    network: &'static str,
    browser: Option<&'static str>,
    at: u64,
) -> &'static Interaction {
    keep(Interaction {
        network: Some(hash(network).clone()),
        browser: browser.map(|browser| hash(browser).clone()),
        requested_at: later(at),
        expires_at: later(at + 900),
        ..interaction(name).clone()
    })
}

#[tokio::test]
async fn a_network_is_full_at_its_cap_until_one_is_answered_or_over() {
    on_each(async |db| {
        for n in 0..interactions::OF_NETWORK {
            let login = waiting(&n.to_string(), "a", None, u64::from(n == 0));
            assert!(!read!(db, tx => interactions::is_full(tx, hash("a"), NOW)), "{n}");
            write!(db, tx => ready(interactions::queue_insert(tx, login))).unwrap();
        }
        assert!(read!(db, tx => interactions::is_full(tx, hash("a"), NOW)));
        let one_more = waiting("more", "a", None, 0);
        assert!(matches!(
            write!(db, tx => ready(interactions::queue_insert(tx, one_more))),
            Err(Error::Conflict)
        ));
        let elsewhere = waiting("elsewhere", "b", None, 0);
        write!(db, tx => ready(interactions::queue_insert(tx, elsewhere))).unwrap();
        let known = interaction("known");
        write!(db, tx => ready(interactions::queue_insert(tx, known))).unwrap();
        let answered = keep(Interaction { network: None, ..waiting("0", "a", None, 1).clone() });
        assert!(write!(db, tx => interactions::save(tx, answered)).unwrap());
        write!(db, tx => ready(interactions::queue_insert(tx, one_more))).unwrap();
        let late = waiting("late", "a", None, 900);
        write!(db, tx => ready(interactions::queue_insert(tx, late))).unwrap();
    })
    .await;
}

#[tokio::test]
async fn room_is_made_by_the_oldest_of_the_same_browser_and_network() {
    on_each(async |db| {
        for (name, network, browser, at) in [
            ("old", "a", Some("mine"), 1),
            ("new", "a", Some("mine"), 2),
            ("elsewhere", "b", Some("mine"), 0),
            ("another's", "a", Some("other"), 0),
            ("unbound", "a", None, 0),
        ] {
            let login = waiting(name, network, browser, at);
            write!(db, tx => ready(interactions::queue_insert(tx, login))).unwrap();
        }
        let make_room =
            async || write!(db, tx => interactions::make_room(tx, hash("a"), hash("mine"))).unwrap();
        let mut left = Vec::new();
        for _ in 0..3 {
            let made = make_room().await;
            let mut names = Vec::new();
            for name in ["old", "new", "elsewhere", "another's", "unbound"] {
                let id = keep(InteractionId::new(name));
                let root = IssuerId::root();
                if read!(db, tx => interactions::by_id(tx, id, &root, NOW)).is_some() {
                    names.push(name);
                }
            }
            left.push((made, names));
        }
        assert_eq!(
            left,
            [
                (true, vec!["new", "elsewhere", "another's", "unbound"]),
                (true, vec!["elsewhere", "another's", "unbound"]),
                (false, vec!["elsewhere", "another's", "unbound"]),
            ]
        );
    })
    .await;
}

/// Of all that wait the newest stay; what was answered is not looked at.
#[tokio::test]
async fn a_trim_removes_the_oldest_that_wait() {
    on_each(async |db| {
        let answered = interaction("answered");
        write!(db, tx => ready(interactions::queue_insert(tx, answered))).unwrap();
        for n in 0..6 {
            let login = waiting(&n.to_string(), keep(n.to_string()), None, n);
            write!(db, tx => ready(interactions::queue_insert(tx, login))).unwrap();
        }
        assert_eq!(write!(db, tx => interactions::trim(tx, 6, 100)).unwrap(), 0);
        assert_eq!(write!(db, tx => interactions::trim(tx, 3, 2)).unwrap(), 2);
        assert_eq!(write!(db, tx => interactions::trim(tx, 3, 2)).unwrap(), 1);
        assert_eq!(write!(db, tx => interactions::trim(tx, 3, 2)).unwrap(), 0);
        let root = IssuerId::root();
        for (name, stays) in [("answered", true), ("2", false), ("3", true), ("5", true)] {
            let id = keep(InteractionId::new(name));
            let found = read!(db, tx => interactions::by_id(tx, id, &root, NOW));
            assert_eq!(found.is_some(), stays, "{name}");
        }
    })
    .await;
}

/// A login whose request the browser carries is stored without it.
#[tokio::test]
async fn a_request_that_is_carried_is_not_stored() {
    on_each(async |db| {
        let mut login = waiting("1", "a", Some("mine"), 0).clone();
        assert!(interactions::fits(&login).unwrap());
        login.request.state = Some("s".repeat(1024));
        assert!(!interactions::fits(&login).unwrap());
        login.carried = true;
        let login = keep(login);
        write!(db, tx => ready(interactions::queue_insert(tx, login))).unwrap();
        let root = IssuerId::root();
        let found = read!(db, tx => interactions::by_id(tx, &login.id, &root, NOW)).unwrap();
        assert_eq!((&found, found.request.state.as_ref()), (&login.abridged(), None));
        assert!(interactions::fits(&found).unwrap());
        let whole = keep(Interaction { carried: false, ..login.clone() });
        assert!(write!(db, tx => interactions::save(tx, whole)).unwrap());
        let found = read!(db, tx => interactions::by_id(tx, &login.id, &root, NOW)).unwrap();
        assert_eq!(found.request.state, login.request.state);
    })
    .await;
}
