//! The database's own keys under its master keys.

use vestibule::storage::wrapped_keys::{self, KeySlot, WrappedKeys};

use super::{on_each, read, write};

fn keys(master: &str) -> WrappedKeys {
    WrappedKeys { master: master.to_owned(), wrapped: format!("under {master}") }
}

/// Many nodes start on an empty database, each with keys of its own: one of them has made the keys of all.
#[tokio::test]
async fn the_first_are_stored_once() {
    on_each(async |db| {
        let all = (0..8).map(|node| async move {
            let keys = keys(&format!("node {node}"));
            let stored = db.write(move |tx| {
                let keys = keys.clone();
                Box::pin(async move { wrapped_keys::insert_first(tx, &keys).await })
            });
            stored.await.unwrap()
        });
        let stored = futures_util::future::join_all(all).await;
        assert_eq!(stored.iter().filter(|stored| **stored).count(), 1);
    })
    .await;
}

#[tokio::test]
async fn they_are_replaced_by_one_and_the_ones_before_are_kept_until_forgotten() {
    on_each(async |db| {
        assert!(write!(db, tx => async { wrapped_keys::insert_first(tx, &keys("a")).await }).unwrap());
        assert!(!write!(db, tx => async { wrapped_keys::forget_previous(tx, "a").await }).unwrap());
        // Two operators at once.
        let race = ["b", "c"].map(|to| {
            db.write(move |tx| Box::pin(async move { wrapped_keys::replace(tx, "a", &keys(to)).await }))
        });
        let won = futures_util::future::join_all(race).await;
        let won: Vec<_> = won.into_iter().map(Result::unwrap).collect();
        assert_eq!(won.iter().filter(|won| **won).count(), 1);
        let current = if won[0] { "b" } else { "c" };
        let at = async |place| read!(db, tx => wrapped_keys::at(tx, place)).map(|keys| keys.master);
        assert_eq!(at(KeySlot::Current).await.as_deref(), Some(current));
        assert_eq!(at(KeySlot::Previous).await.as_deref(), Some("a"));
        // A third has to wait until the first is forgotten, and only who holds the current one may forget it.
        assert!(
            !write!(db, tx => async move { wrapped_keys::replace(tx, current, &keys("d")).await }).unwrap()
        );
        assert!(!write!(db, tx => async { wrapped_keys::forget_previous(tx, "a").await }).unwrap());
        assert!(write!(db, tx => async move { wrapped_keys::forget_previous(tx, current).await }).unwrap());
        assert_eq!(at(KeySlot::Previous).await, None);
        assert!(
            write!(db, tx => async move { wrapped_keys::replace(tx, current, &keys("d")).await }).unwrap()
        );
    })
    .await;
}
