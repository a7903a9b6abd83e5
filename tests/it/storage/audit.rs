//! Audit entries: their order, and who is told of them.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::Notify;
use vestibule::domain::audit::{Actor, Entry};
use vestibule::domain::event::Event;
use vestibule::domain::ids::UserId;
use vestibule::storage::audit::{self, Placed};
use vestibule::storage::{Db, Error};

use super::rows::NOW;
use super::{on_each, on_each_empty, open, read, write};

fn entry(user: &str) -> Entry {
    Entry::new(NOW, Actor::Console, Event::Unlocked { user: UserId::new(user) })
}

/// What a reader sees that goes on after this place.
async fn poll(db: &Db, place: i64) -> Vec<Placed> {
    while read!(db, tx => audit::any_unplaced(tx)) {
        write!(db, tx => audit::assign_places(tx, 2)).unwrap();
    }
    read!(db, tx => audit::after(tx, place, 100))
}

fn users(entries: &[Placed]) -> Vec<&str> {
    entries.iter().map(|entry| entry.subject.as_ref().unwrap().1.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_misses_no_entry_of_a_write_that_is_overtaken() {
    on_each_empty(async |own| {
        let db = open(own).await;
        let (inserted, overtaken) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let slow = {
            let (db, inserted, overtaken) = (db.clone(), inserted.clone(), overtaken.clone());
            tokio::spawn(async move {
                db.write(move |tx| {
                    let (inserted, overtaken) = (inserted.clone(), overtaken.clone());
                    Box::pin(async move {
                        audit::queue_insert(tx, entry("slow"))?;
                        assert!(audit::any_unplaced(tx).await.is_ok(), "runs what is queued");
                        inserted.notify_one();
                        // SQLite has one writer: nobody overtakes there, and the wait ends by itself.
                        let _ = tokio::time::timeout(Duration::from_millis(300), overtaken.notified()).await;
                        Ok(())
                    })
                })
                .await
            })
        };
        inserted.notified().await;
        db.write(|tx| Box::pin(async move { audit::queue_insert(tx, entry("quick")) })).await.unwrap();
        let first = poll(&db, 0).await;
        overtaken.notify_one();
        slow.await.unwrap().unwrap();
        let place = first.last().unwrap().place;
        let rest = poll(&db, place).await;
        if own.is_sqlite() {
            assert_eq!((users(&first), users(&rest)), (vec!["slow", "quick"], vec![]));
        } else {
            assert_eq!((users(&first), users(&rest)), (vec!["quick"], vec!["slow"]));
        }
        assert_eq!(poll(&db, 0).await, [first, rest].concat(), "the order stays");
        db.close().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_that_number_at_once_give_each_entry_one_place() {
    on_each(async |db| {
        let write = async |n: usize| {
            db.write(move |tx| Box::pin(async move { audit::queue_insert(tx, entry(&n.to_string())) })).await
        };
        let mut seen = Vec::new();
        for round in 0..4 {
            join_all((0..16).map(|n| write(round * 16 + n))).await;
            let place = seen.last().map_or(0, |entry: &Placed| entry.place);
            let polls = join_all((0..4).map(|_| poll(db, place))).await;
            assert!(polls.iter().all(|poll| poll == &polls[0]));
            seen.extend_from_slice(&polls[0]);
        }
        let places: Vec<_> = seen.iter().map(|entry| entry.place).collect();
        assert_eq!(places, (1..=64).collect::<Vec<_>>());
        let mut names: Vec<usize> = users(&seen).iter().map(|name| name.parse().unwrap()).collect();
        names.sort_unstable();
        assert_eq!(names, (0..64).collect::<Vec<_>>());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_listener_hears_of_each_committed_entry_once() {
    on_each(async |db| {
        let told = Arc::new(Mutex::new(Vec::new()));
        let ears = told.clone();
        db.listen(move |entry| {
            ears.lock().unwrap().push(entry.subject.as_ref().unwrap().id().to_owned());
            assert_ne!(entry.subject.as_ref().unwrap().id(), "3", "an observer that panics ends no write");
        });
        // One that fails undoes the others of its commit on SQLite; they are run again.
        let writes = (0..32).map(|n: usize| {
            db.write(move |tx| {
                Box::pin(async move {
                    audit::queue_insert(tx, entry(&n.to_string()))?;
                    if n % 8 == 7 { Err(Error::Conflict) } else { Ok(()) }
                })
            })
        });
        let ended = join_all(writes).await;
        assert_eq!(ended.iter().filter(|ended| ended.is_ok()).count(), 28);
        let mut told: Vec<usize> = told.lock().unwrap().iter().map(|name| name.parse().unwrap()).collect();
        told.sort_unstable();
        assert_eq!(told, (0..32).filter(|n| n % 8 != 7).collect::<Vec<_>>());
        assert_eq!(poll(db, 0).await.len(), 28);
    })
    .await;
}

#[tokio::test]
async fn the_oldest_go_and_places_are_not_given_twice() {
    on_each(async |db| {
        for n in 0..3 {
            let old = Entry { at: super::rows::later(n), ..entry(&n.to_string()) };
            db.write(move |tx| {
                let old = old.clone();
                Box::pin(async move { audit::queue_insert(tx, old) })
            })
            .await
            .unwrap();
        }
        assert_eq!(poll(db, 0).await.len(), 3);
        assert_eq!(write!(db, tx => audit::remove_before(tx, true, NOW, 10)).unwrap(), 0, "no refusals");
        assert_eq!(write!(db, tx => audit::remove_before(tx, false, super::rows::later(2), 2)).unwrap(), 2);
        assert_eq!(write!(db, tx => audit::remove_before(tx, false, super::rows::later(2), 2)).unwrap(), 1);
        db.write(|tx| Box::pin(async move { audit::queue_insert(tx, entry("new")) })).await.unwrap();
        assert_eq!(poll(db, 3).await[0].place, 4, "a reader that has seen the last goes on");
    })
    .await;
}

#[tokio::test]
async fn the_entries_of_one_write_keep_their_order() {
    on_each(async |db| {
        for n in 0..3 {
            db.write(move |tx| {
                Box::pin(async move {
                    (0..5).try_for_each(|m| audit::queue_insert(tx, entry(&format!("{n}{m}"))))
                })
            })
            .await
            .unwrap();
        }
        while read!(db, tx => audit::any_unplaced(tx)) {
            write!(db, tx => audit::assign_places(tx, 100)).unwrap();
        }
        let names: Vec<_> = (0..3).flat_map(|n| (0..5).map(move |m| format!("{n}{m}"))).collect();
        assert_eq!(users(&read!(db, tx => audit::after(tx, 0, 100))), names);
    })
    .await;
}
