//! Ended sessions and their logout notices: announced once, sent by one node at a time.

use std::collections::BTreeSet;
use std::future::ready;
use std::time::Duration;

use vestibule::domain::ids::{ClientId, IssuerId};
use vestibule::domain::message::Delivery;
use vestibule::domain::session::Session;
use vestibule::storage::ended_sessions::EndedSession;
use vestibule::storage::logout_notices::{ClaimedNotice, NoticeOutcome};
use vestibule::storage::sweep::sweep;
use vestibule::storage::{Db, ended_sessions, logout_notices, sessions, tenants, users};

use super::races::winners;
use super::rows::{NOW, World, keep, later, session};
use super::{on_each, read, write};

const LEASE: Duration = Duration::from_mins(1);

/// A session of Anna's in which the shop was signed in.
async fn signed_in(db: &Db, anna: &vestibule::domain::user::User, name: &str) -> &'static Session {
    let clients = BTreeSet::from([ClientId::new("shop")]);
    let own = keep(Session { clients, ..session(anna, IssuerId::root(), name).clone() });
    write!(db, tx => ready(sessions::queue_insert(tx, own))).unwrap();
    own
}

#[tokio::test]
async fn no_way_of_deleting_a_session_leaves_its_clients_untold() {
    on_each(async |db| {
        let World { anna, .. } = World::store(db).await;
        let untold = async || read!(db, tx => ended_sessions::unannounced(tx, 9));
        let forget = async |session: &EndedSession| {
            let id = keep(session.id.clone());
            assert!(write!(db, tx => ended_sessions::claim(tx, id)).unwrap());
            assert!(!write!(db, tx => ended_sessions::claim(tx, id)).unwrap());
        };
        let own = signed_in(db, anna, "a").await;
        let clients = own.clients.clone();
        let ended =
            EndedSession { id: own.id.clone(), issuer: IssuerId::root(), user: anna.id.clone(), clients };
        assert_eq!(write!(db, tx => ended_sessions::end(tx, &own.id)).unwrap().as_ref(), Some(&ended));
        assert_eq!(untold().await, std::slice::from_ref(&ended));
        forget(&ended).await;

        let own = signed_in(db, anna, "b").await;
        let late = own.expires_at;
        write!(db, tx => sweep(tx, late, 9)).unwrap();
        assert_eq!(untold().await.len(), 1);
        forget(&untold().await[0]).await;

        signed_in(db, anna, "c").await;
        write!(db, tx => users::disable(tx, &anna.id)).unwrap();
        assert_eq!(untold().await.len(), 1);
        forget(&untold().await[0]).await;

        signed_in(db, anna, "d").await;
        write!(db, tx => users::remove(tx, &anna.id)).unwrap();
        assert_eq!(untold().await.len(), 1);
        forget(&untold().await[0]).await;

        write!(db, tx => users::upsert(tx, anna)).unwrap();
        signed_in(db, anna, "e").await;
        write!(db, tx => tenants::remove(tx, &anna.tenant)).unwrap();
        assert_eq!(untold().await.len(), 1, "the tenant's users go by a foreign key");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_node_sends_a_notice_until_its_lease_is_over() {
    on_each(async |db| {
        let World { anna, .. } = World::store(db).await;
        let own = signed_in(db, anna, "a").await;
        let ended = keep(write!(db, tx => ended_sessions::end(tx, &own.id)).unwrap().unwrap());
        let shop: &ClientId = keep(ClientId::new("shop"));
        write!(db, tx => logout_notices::enqueue(tx, ended, shop, NOW)).unwrap();
        let claims = async |now| write!(db, tx => logout_notices::claim(tx, now, LEASE, 9)).unwrap();
        assert_eq!(winners(async |_| claims(NOW).await.len() == 1).await, 1);
        let second = keep(claims(later(60)).await.remove(0));
        assert_eq!((second.tries, &second.client), (2, shop));
        let first = keep(ClaimedNotice { tries: 1, ..second.clone() });
        assert!(!write!(db, tx => logout_notices::finish(tx, first, &NoticeOutcome::Sent)).unwrap());
        let retry = keep(NoticeOutcome::Retry(later(90), "down".to_owned()));
        assert!(write!(db, tx => logout_notices::finish(tx, second, retry)).unwrap());
        assert!(claims(later(89)).await.is_empty());
        let state = async || read!(db, tx => logout_notices::of_session(tx, &own.id)).remove(0);
        assert_eq!(
            (state().await.delivery, state().await.reason.as_deref()),
            (Delivery::Waiting, Some("down"))
        );
        let third = keep(claims(later(90)).await.remove(0));
        let failed = keep(NoticeOutcome::Failed("400".to_owned()));
        assert!(write!(db, tx => logout_notices::finish(tx, third, failed)).unwrap());
        assert_eq!(state().await.delivery, Delivery::Failed("400".to_owned()));
        assert_eq!(write!(db, tx => logout_notices::forget(tx, NOW, 9)).unwrap(), 1);
    })
    .await;
}
