//! The outbox: claimed once, bounded, erased when it is over.

use std::time::Duration;

use futures_util::future::join_all;
use vestibule::domain::ids::MessageId;
use vestibule::domain::message::{Channel, Delivery, MessageKind};
use vestibule::storage::outbox::{self, NewMessage, QUEUE_OF_TENANT, SendAttempt};
use vestibule::storage::{Db, sweep::sweep};

use super::rows::{NOW, World, keep, later};
use super::{on_each, read, write};

const LEASE: Duration = Duration::from_mins(2);

fn new(world: &World, name: &str) -> &'static NewMessage {
    let World { anna, .. } = world;
    keep(NewMessage {
        id: MessageId::new(name),
        tenant: anna.tenant.clone(),
        user: anna.id.clone(),
        channel: Channel::Mail,
        kind: MessageKind::SignInCode,
        destination: "a•••@example.test".to_owned(),
        sealed: format!("sealed {name}"),
        created_at: NOW,
        expires_at: later(600),
    })
}

async fn claim(db: &Db, seconds: u64) -> Vec<String> {
    let claimed = write!(db, tx => outbox::claim(tx, Channel::Mail, later(seconds), LEASE, 100)).unwrap();
    claimed.iter().map(|claimed| format!("{} {}", claimed.id, claimed.tries)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_nodes_one_takes_each_message() {
    on_each(async |db| {
        let world = World::store(db).await;
        for number in 0..10 {
            let new = new(&world, &number.to_string());
            assert!(write!(db, tx => outbox::enqueue(tx, new)).unwrap());
        }
        let mut taken = join_all((0..16).map(|_| claim(db, 0))).await.concat();
        // Who lost a race for some looks again.
        taken.extend(claim(db, 0).await);
        taken.sort();
        assert_eq!(taken, (0..10).map(|number| format!("{number} 1")).collect::<Vec<_>>());
    })
    .await;
}

#[tokio::test]
async fn a_lease_that_runs_out_lets_others_in_and_the_first_out() {
    on_each(async |db| {
        let world = World::store(db).await;
        let new = new(&world, "m");
        write!(db, tx => outbox::enqueue(tx, new)).unwrap();
        assert_eq!(claim(db, 0).await, ["m 1"]);
        assert_eq!(claim(db, 119).await, [""; 0]);
        assert_eq!(claim(db, 120).await, ["m 2"]);
        assert!(!write!(db, tx => outbox::record(tx, &new.id, 1, &SendAttempt::Sent)).unwrap());
        let again = keep(SendAttempt::Again(later(150), "451".to_owned()));
        assert!(write!(db, tx => outbox::record(tx, &new.id, 2, again)).unwrap());
        assert_eq!((claim(db, 149).await, claim(db, 150).await), (vec![], vec!["m 3".to_owned()]));
        assert!(write!(db, tx => outbox::record(tx, &new.id, 3, &SendAttempt::Sent)).unwrap());
        assert!(!write!(db, tx => outbox::record(tx, &new.id, 3, &SendAttempt::Sent)).unwrap());
        assert_eq!(claim(db, 1000).await, [""; 0]);
        let entries = read!(db, tx => outbox::of_tenant(tx, &new.tenant, 10));
        let [entry] = &entries[..] else { panic!("{entries:?}") };
        assert_eq!((&entry.delivery, entry.tries, &entry.reason), (&Delivery::Sent, 3, &None));
    })
    .await;
}

#[tokio::test]
async fn the_queue_has_an_end_and_what_is_over_makes_room() {
    on_each(async |db| {
        let world = World::store(db).await;
        for number in 0..QUEUE_OF_TENANT {
            let new = new(&world, &number.to_string());
            assert!(write!(db, tx => outbox::enqueue(tx, new)).unwrap(), "{number}");
        }
        let more = new(&world, "more");
        assert!(!write!(db, tx => outbox::enqueue(tx, more)).unwrap());
        let first = keep(MessageId::new("0"));
        assert!(write!(db, tx => outbox::withdraw(tx, first)).unwrap());
        assert!(write!(db, tx => outbox::enqueue(tx, more)).unwrap());
        assert_eq!(read!(db, tx => outbox::waiting(tx, Channel::Mail)), QUEUE_OF_TENANT);
    })
    .await;
}

#[tokio::test]
async fn what_was_not_sent_in_time_is_erased_and_in_the_end_forgotten() {
    on_each(async |db| {
        let world = World::store(db).await;
        let new = new(&world, "m");
        write!(db, tx => outbox::enqueue(tx, new)).unwrap();
        write!(db, tx => sweep(tx, later(599), 100)).unwrap();
        assert_eq!(read!(db, tx => outbox::by_id(tx, &new.id)).unwrap().delivery, Delivery::Waiting);
        write!(db, tx => sweep(tx, later(600), 100)).unwrap();
        let entry = read!(db, tx => outbox::by_id(tx, &new.id)).unwrap();
        assert!(matches!(entry.delivery, Delivery::Failed(reason) if reason.contains("expired")));
        write!(db, tx => sweep(tx, later(8 * 24 * 3600), 100)).unwrap();
        assert_eq!(read!(db, tx => outbox::by_id(tx, &new.id)), None);
    })
    .await;
}
