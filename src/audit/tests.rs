//! Refusals against a store, and how long entries are kept.

use std::time::Duration;

use crate::domain::audit::{Actor, Entry};
use crate::domain::event::Event;
use crate::domain::ids::{IssuerId, Reference, UserId};
use crate::domain::time::Time;
use crate::testing::TestIdp;

fn refusal(at: Time, network: u32) -> Entry {
    let event = Event::Refused {
        issuer: IssuerId::root(),
        error: "invalid_request",
        hint: None,
        reference: Reference::new("AAAA-AAAA"),
    };
    Entry::new(at, Actor::Anonymous, event).with_network(Some(&network.to_string()))
}

/// The numbers of refusals that the trail's entries say were left out.
fn omitted(entries: &[crate::storage::audit::Placed]) -> Vec<u64> {
    let counts = entries.iter().filter(|entry| entry.event == "refusals_omitted");
    counts.map(|entry| entry.details["count"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn no_more_than_twenty_thousand_refusals_are_stored() {
    let idp = TestIdp::with("").await;
    let mut network = 0;
    for _ in 0..21 {
        for _ in 0..1000 {
            network += 1;
            idp.idp().refuse(refusal(idp.idp().now(), network));
        }
        idp.idp().write_refusals(false).await.unwrap();
        idp.clock().advance(Duration::from_mins(1));
    }
    let entries = idp.audit().await;
    assert_eq!(entries.iter().filter(|entry| entry.event == "refused").count(), 20_000);
    assert_eq!(omitted(&entries), [1000], "the rest is one entry");
    assert_eq!(
        idp.events().all().iter().filter(|event| matches!(event, Event::Refused { .. })).count(),
        21_000
    );

    for minute in 1..=120 {
        idp.idp().refuse(refusal(idp.idp().now(), minute));
        idp.clock().advance(Duration::from_mins(1));
        idp.idp().write_refusals(false).await.unwrap();
    }
    assert_eq!(omitted(&idp.audit().await).len(), 3, "one an hour while the trail is full");
    idp.idp().refuse(refusal(idp.idp().now(), 1));
    idp.idp().write_refusals(true).await.unwrap();
    assert_eq!(omitted(&idp.audit().await).iter().sum::<u64>(), 1121, "none is lost when the provider stops");
}

#[tokio::test]
async fn refusals_go_after_a_month_and_entries_after_a_year() {
    const SECOND: Duration = Duration::from_secs(1);
    let almost = |days: u64| Duration::from_secs(days * 24 * 3600 - 1);
    let idp = TestIdp::with("").await;
    let now = idp.idp().now();
    idp.idp().refuse(refusal(now, 1));
    let entry = Entry::new(now, Actor::Console, Event::Unlocked { user: UserId::new("anna") });
    let recorded = idp.idp().db().write(move |tx| {
        let entry = entry.clone();
        Box::pin(async move { super::record(tx, entry) })
    });
    recorded.await.unwrap();
    let left = async || {
        idp.idp().sweep().await.unwrap();
        let entries = idp.audit().await;
        entries.into_iter().map(|entry| entry.event).collect::<Vec<_>>()
    };
    idp.audit().await;
    idp.clock().advance(almost(30));
    assert_eq!(left().await, ["unlocked", "refused"]);
    idp.clock().advance(SECOND);
    assert_eq!(left().await, ["unlocked"]);
    idp.clock().advance(almost(335));
    assert_eq!(left().await, ["unlocked"]);
    idp.clock().advance(SECOND);
    assert_eq!(left().await, Vec::<String>::new());
}
