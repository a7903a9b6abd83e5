//! Browsers in which users have signed in.

use vestibule::domain::user::User;
use vestibule::storage::known_browsers::{self, Sight};
use vestibule::storage::{Db, sweep, users};

use super::rows::{World, hash, later, user};
use super::{on_each, read, write};

/// Signs in, this many seconds from now; known for a hundred seconds, three of a user.
async fn note(db: &Db, of: &'static User, browser: &'static str, at: u64) -> Sight {
    write!(db, tx => known_browsers::note(tx, &of.id, hash(browser), later(at + 100), 3, later(at))).unwrap()
}

#[tokio::test]
async fn the_first_is_no_news_and_each_user_has_their_own() {
    on_each(async |db| {
        let World { tenant, anna, .. } = World::store(db).await;
        let bert = user(tenant, "Bert");
        write!(db, tx => users::upsert(tx, bert)).unwrap();
        assert_eq!(note(db, anna, "a", 0).await, Sight::First);
        assert_eq!(note(db, anna, "a", 1).await, Sight::Known);
        assert_eq!(note(db, anna, "b", 2).await, Sight::New);
        assert_eq!(note(db, bert, "a", 3).await, Sight::First);
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
        assert_eq!(note(db, anna, "a", 3).await, Sight::Known);
        assert_eq!(note(db, anna, "d", 4).await, Sight::New);
        assert_eq!(read!(db, tx => known_browsers::count(tx, &anna.id)), 3);
        assert_eq!(note(db, anna, "a", 5).await, Sight::Known, "used since");
        assert_eq!(note(db, anna, "b", 6).await, Sight::New, "it made room");
        // c made room for b in turn; left are d (4), a (5) and b (6).
        write!(db, tx => sweep::sweep(tx, later(105), 100)).unwrap();
        assert_eq!(read!(db, tx => known_browsers::count(tx, &anna.id)), 1);
        assert_eq!(note(db, anna, "c", 105).await, Sight::New, "b is known still");
        assert_eq!(note(db, anna, "b", 106).await, Sight::New, "over in its second");
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
        assert_eq!(all.iter().filter(|&&sight| sight == Sight::New).count(), 1, "{all:?}");
        assert_eq!(all.iter().filter(|&&sight| sight == Sight::Known).count(), 15);
    })
    .await;
}
