//! Pushed authorization requests: bounded, used once, gone when they are over.

use std::time::Duration;

use vestibule::domain::ids::InteractionId;
use vestibule::domain::request::AuthorizationRequest;
use vestibule::storage::pushed_requests::{self, Pushed};
use vestibule::storage::sweep::sweep;

use super::races::winners;
use super::rows::{FIRST, NOW, hash, interaction, keep, later};
use super::{on_each, read, write};

fn request() -> &'static AuthorizationRequest {
    &interaction("1").request
}

#[tokio::test]
async fn a_request_comes_back_as_it_was_until_it_expires() {
    on_each(async |db| {
        let request = request();
        assert!(
            write!(db, tx => pushed_requests::insert(tx, hash("1"), request, FIRST, later(60), NOW, 2))
                .unwrap()
        );
        let pushed = Pushed { request: request.clone(), epoch: FIRST, login: None };
        assert_eq!(read!(db, tx => pushed_requests::by_hash(tx, hash("1"), later(59))), Some(pushed));
        assert_eq!(read!(db, tx => pushed_requests::by_hash(tx, hash("1"), later(60))), None);
        assert_eq!(read!(db, tx => pushed_requests::by_hash(tx, hash("2"), NOW)), None);
        let login = keep(InteractionId::new("late"));
        let late = write!(db, tx => pushed_requests::claim(tx, hash("1"), login, later(900), later(60)));
        assert!(!late.unwrap());
        assert_eq!(write!(db, tx => sweep(tx, later(59), 100)).unwrap(), 0);
        assert_eq!(write!(db, tx => sweep(tx, later(60), 100)).unwrap(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_client_has_so_many_waiting_and_no_more() {
    on_each(async |db| {
        let mine = request();
        let other = keep(AuthorizationRequest {
            client: vestibule::domain::ids::ClientId::new("desk"),
            ..mine.clone()
        });
        let insert = async |name: &str, request: &'static AuthorizationRequest, now| {
            let (name, ends) = (hash(name), later(60));
            write!(db, tx => pushed_requests::insert(tx, name, request, FIRST, ends, now, 2)).unwrap()
        };
        assert!(insert("1", mine, NOW).await && insert("2", mine, NOW).await);
        assert!(!insert("3", mine, NOW).await);
        assert!(insert("3", other, NOW).await, "another client");
        let login = keep(InteractionId::new("1"));
        assert!(write!(db, tx => pushed_requests::claim(tx, hash("1"), login, later(900), NOW)).unwrap());
        assert!(insert("4", mine, NOW).await, "one is used");
        assert!(!insert("5", mine, NOW.plus(Duration::from_secs(59))).await);
        assert!(insert("5", mine, NOW.plus(Duration::from_mins(1))).await, "they have expired");
    })
    .await;
}

/// Of concurrent logins one gets the request.
#[tokio::test(flavor = "multi_thread")]
async fn one_begins_a_login_with_it_and_it_stays_as_long() {
    on_each(async |db| {
        let request = request();
        write!(db, tx => pushed_requests::insert(tx, hash("1"), request, FIRST, later(60), NOW, 1)).unwrap();
        let claim = async |runner: usize| {
            let login = keep(InteractionId::new(runner.to_string()));
            write!(db, tx => pushed_requests::claim(tx, hash("1"), login, later(900), NOW)).unwrap()
        };
        assert_eq!(winners(claim).await, 1);
        let used = read!(db, tx => pushed_requests::by_hash(tx, hash("1"), later(899))).unwrap();
        assert!(used.login.is_some());
        assert_eq!(write!(db, tx => sweep(tx, later(899), 100)).unwrap(), 0);
        assert_eq!(write!(db, tx => sweep(tx, later(900), 100)).unwrap(), 1);
    })
    .await;
}
