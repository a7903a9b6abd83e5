//! Browsers in which users have signed in.

use std::future::ready;

use vestibule::domain::epoch::Epoch;
use vestibule::domain::user::User;
use vestibule::storage::attempts::{self, AttemptKind, Budget, Reservation};
use vestibule::storage::sign_in_history::{self, BrowserRecognition, SignInRecord};
use vestibule::storage::{Db, sweep, users};

use super::rows::{FIRST, NOW, World, hash, later, user};
use super::{on_each, read, write};

/// A sign-in this many seconds from now; the browser is known for a hundred seconds.
fn sign_in(of: &'static User, browser: &'static str, epoch: Option<Epoch>, at: u64) -> SignInRecord<'static> {
    SignInRecord { user: &of.id, hash: hash(browser), epoch, until: later(at + 100) }
}

/// Signs in, this many seconds from now, where a user has three browsers at most.
async fn note(db: &Db, of: &'static User, browser: &'static str, at: u64) -> BrowserRecognition {
    let sign_in = sign_in(of, browser, None, at);
    if write!(db, tx => sign_in_history::touch(tx, sign_in, later(at))).unwrap() {
        return BrowserRecognition::Known;
    }
    write!(db, tx => sign_in_history::add(tx, sign_in, 3, later(at))).unwrap()
}

async fn has_tries(db: &Db, of: &User, browser: &'static str, at: u64) -> bool {
    read!(db, tx => sign_in_history::has_tries(tx, &of.id, hash(browser), later(at)))
}

#[tokio::test]
async fn the_first_is_no_news_and_each_user_has_their_own() {
    on_each(async |db| {
        let World { tenant, anna, .. } = World::store(db).await;
        let bert = user(tenant, "Bert");
        write!(db, tx => users::upsert(tx, bert)).unwrap();
        assert_eq!(note(db, anna, "a", 0).await, BrowserRecognition::First);
        assert_eq!(note(db, anna, "a", 1).await, BrowserRecognition::Known);
        assert_eq!(note(db, anna, "b", 2).await, BrowserRecognition::New);
        assert_eq!(note(db, bert, "a", 3).await, BrowserRecognition::First);
    })
    .await;
}

#[tokio::test]
async fn the_one_used_longest_ago_makes_room_and_all_are_forgotten_in_time() {
    on_each(async |db| {
        let World { anna, .. } = World::store(db).await;
        for (at, browser) in (0..).zip(["a", "b", "c"]) {
            note(db, anna, browser, at).await;
        }
        assert_eq!(note(db, anna, "a", 3).await, BrowserRecognition::Known);
        assert_eq!(note(db, anna, "d", 4).await, BrowserRecognition::New);
        assert_eq!(read!(db, tx => sign_in_history::count(tx, &anna.id)), 3);
        assert_eq!(note(db, anna, "a", 5).await, BrowserRecognition::Known, "used since");
        assert_eq!(note(db, anna, "b", 6).await, BrowserRecognition::New, "it made room");
        // c made room for b in turn; left are d (4), a (5) and b (6).
        write!(db, tx => sweep::sweep(tx, later(105), 100)).unwrap();
        assert_eq!(read!(db, tx => sign_in_history::count(tx, &anna.id)), 1);
        assert_eq!(note(db, anna, "c", 105).await, BrowserRecognition::New, "b is known still");
        assert_eq!(note(db, anna, "b", 106).await, BrowserRecognition::New, "over in its second");
    })
    .await;
}

/// Whatever comes at once with one cookie is one browser, and news once.
#[tokio::test]
async fn of_many_at_once_one_is_new() {
    on_each(async |db| {
        let World { anna, .. } = World::store(db).await;
        note(db, anna, "a", 0).await;
        let all = futures_util::future::join_all((0..16).map(|at| note(db, anna, "b", at))).await;
        assert_eq!(all.iter().filter(|&&sight| sight == BrowserRecognition::New).count(), 1, "{all:?}");
        assert_eq!(all.iter().filter(|&&sight| sight == BrowserRecognition::Known).count(), 15);
    })
    .await;
}

/// A browser's own tries end with the password, with the time for which it is known, and are one user's alone.
#[tokio::test]
async fn tries_of_its_own_are_bound_to_user_and_password() {
    on_each(async |db| {
        let World { tenant, anna, .. } = World::store(db).await;
        let bert = user(tenant, "Bert");
        write!(db, tx => users::upsert(tx, bert)).unwrap();
        assert!(!has_tries(db, anna, "a", 0).await);
        note(db, anna, "a", 0).await;
        assert!(!has_tries(db, anna, "a", 0).await, "no factor was proved");
        let proved = sign_in(anna, "a", Some(FIRST), 1);
        assert!(write!(db, tx => sign_in_history::touch(tx, proved, later(1))).unwrap());
        note(db, anna, "a", 2).await;
        assert!(has_tries(db, anna, "a", 101).await, "a sign-in without a factor takes nothing away");
        assert!(!has_tries(db, anna, "a", 102).await, "over in its second");
        assert!(!has_tries(db, anna, "b", 3).await && !has_tries(db, bert, "a", 3).await);
        write!(db, tx => users::raise_epoch(tx, &anna.id)).unwrap();
        assert!(!has_tries(db, anna, "a", 3).await, "the password was changed");
        assert_eq!(note(db, anna, "a", 4).await, BrowserRecognition::Known, "but the browser is not news");
        assert!(!has_tries(db, anna, "a", 5).await);
    })
    .await;
}

#[tokio::test]
async fn unlocking_a_user_forgets_the_failures_of_their_browsers() {
    const BUDGET: Budget = Budget {
        tries: 2,
        first_lock: std::time::Duration::from_mins(5),
        longest_lock: std::time::Duration::from_hours(1),
        hard_stop: 100,
    };
    on_each(async |db| {
        let World { tenant, anna, .. } = World::store(db).await;
        let bert = user(tenant, "Bert");
        write!(db, tx => users::upsert(tx, bert)).unwrap();
        note(db, anna, "a", 0).await;
        note(db, bert, "b", 0).await;
        let reserve = async |browser: &'static str| {
            write!(db, tx => attempts::reserve(tx, hash(browser), AttemptKind::KnownBrowser, NOW, &BUDGET))
                .unwrap()
        };
        for browser in ["a", "a", "b", "b"] {
            assert!(matches!(reserve(browser).await, Reservation::Taken { .. }));
        }
        write!(db, tx => ready(attempts::queue_forget_known_browsers(tx, &anna.id))).unwrap();
        assert_eq!(reserve("a").await, Reservation::Taken { failures: 1, lock: None });
        assert!(matches!(reserve("b").await, Reservation::Locked(_)), "another user's");
    })
    .await;
}
