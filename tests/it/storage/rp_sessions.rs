//! Sessions of the provider's own relying parties.

use vestibule::domain::ids::{ClientId, Hash, SessionId, UserId};
use vestibule::storage::rp_sessions::{self, RpSession};
use vestibule::storage::{Db, sweep};

use super::rows::{NOW, hash, keep, later};
use super::{on_each, read, write};

const ISSUER: &str = "https://id.test";

fn client(name: &str) -> &'static ClientId {
    keep(ClientId::new(name))
}

fn row(cookie: &str) -> RpSession {
    RpSession {
        cookie: Hash::new(cookie),
        issuer: ISSUER.to_owned(),
        client: client("portal").clone(),
        sid: Some(SessionId::new(format!("sid-{cookie}"))),
        subject: Some(UserId::new("anna")),
        sealed: "sealed".to_owned(),
        expires_at: later(100),
        version: 0,
    }
}

async fn insert(db: &Db, row: RpSession) -> &'static RpSession {
    let row: &RpSession = keep(row);
    write!(db, tx => rp_sessions::insert(tx, row)).unwrap();
    row
}

async fn find(db: &Db, cookie: &str) -> Option<RpSession> {
    let (portal, cookie) = (client("portal"), hash(cookie));
    read!(db, tx => rp_sessions::by_cookie(tx, ISSUER, portal, cookie, NOW))
}

#[tokio::test]
async fn one_is_found_by_its_party_and_cookie_until_it_expires() {
    on_each(async |db| {
        let stored = insert(db, row("c")).await;
        let pending = insert(db, RpSession { sid: None, subject: None, ..row("d") }).await;
        let (portal, other, cookie) = (client("portal"), client("other"), hash("c"));
        let at = async |issuer: &'static str, client: &'static ClientId, cookie: &'static Hash, now| {
            read!(db, tx => rp_sessions::by_cookie(tx, issuer, client, cookie, now))
        };
        assert_eq!(at(ISSUER, portal, cookie, later(99)).await.as_ref(), Some(stored));
        assert_eq!(find(db, "d").await.as_ref(), Some(pending));
        assert_eq!(at(ISSUER, portal, cookie, later(100)).await, None);
        assert_eq!(at(ISSUER, other, cookie, NOW).await, None);
        assert_eq!(at("https://other.test", portal, cookie, NOW).await, None);
        assert_eq!(at(ISSUER, portal, hash("e"), NOW).await, None);
    })
    .await;
}

#[tokio::test]
async fn each_version_is_replaced_once() {
    on_each(async |db| {
        let stored = insert(db, row("old")).await;
        let next: &RpSession = keep(RpSession {
            cookie: Hash::new("new"),
            sid: None,
            subject: Some(UserId::new("ben")),
            sealed: "other".to_owned(),
            expires_at: later(200),
            ..stored.clone()
        });
        assert!(write!(db, tx => rp_sessions::replace(tx, &stored.cookie, next)).unwrap());
        assert!(!write!(db, tx => rp_sessions::replace(tx, &stored.cookie, next)).unwrap(), "another cookie");
        assert_eq!(find(db, "old").await, None);
        assert_eq!(find(db, "new").await, Some(RpSession { version: 1, ..next.clone() }));
        assert!(!write!(db, tx => rp_sessions::replace(tx, &next.cookie, next)).unwrap(), "an older version");
        assert!(write!(db, tx => rp_sessions::end(tx, &next.cookie)).unwrap());
        assert!(!write!(db, tx => rp_sessions::end(tx, &next.cookie)).unwrap(), "ended before");
    })
    .await;
}

#[tokio::test]
async fn one_refreshes_and_a_claim_that_is_left_behind_ends() {
    on_each(async |db| {
        let stored = insert(db, row("c")).await;
        let claim = async |version: i64, now, until| {
            write!(db, tx => rp_sessions::claim_refresh(tx, &stored.cookie, version, now, until)).unwrap()
        };
        assert!(claim(0, NOW, later(20)).await);
        assert!(!claim(0, later(19), later(39)).await, "claimed");
        assert!(claim(0, later(20), later(40)).await, "left behind");
        assert!(write!(db, tx => rp_sessions::replace(tx, &stored.cookie, stored)).unwrap());
        assert!(!claim(0, later(40), later(60)).await, "refreshed since");
        assert!(claim(1, later(21), later(60)).await, "the new version is free at once");
    })
    .await;
}

#[tokio::test]
async fn a_logout_ends_what_it_names() {
    on_each(async |db| {
        for cookie in ["one", "two", "three"] {
            insert(db, row(cookie)).await;
        }
        insert(db, RpSession { subject: Some(UserId::new("ben")), ..row("ben") }).await;
        insert(db, RpSession { client: client("other").clone(), ..row("other") }).await;
        insert(db, RpSession { sid: None, subject: None, ..row("pending") }).await;
        let (portal, anna) = (client("portal"), keep(UserId::new("anna")));
        let one = keep(SessionId::new("sid-one"));
        assert_eq!(write!(db, tx => rp_sessions::end_of_sid(tx, ISSUER, portal, one)).unwrap(), 1);
        assert_eq!(find(db, "one").await, None);
        assert!(find(db, "two").await.is_some());
        assert_eq!(write!(db, tx => rp_sessions::end_of_subject(tx, ISSUER, portal, anna)).unwrap(), 2);
        for (cookie, left) in [("two", false), ("three", false), ("ben", true), ("pending", true)] {
            assert_eq!(find(db, cookie).await.is_some(), left, "{cookie}");
        }
        let other = client("other");
        assert_eq!(write!(db, tx => rp_sessions::end_of_subject(tx, ISSUER, other, anna)).unwrap(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_logout_token_is_claimed_once_and_forgotten_with_the_sessions() {
    on_each(async |db| {
        let (portal, other) = (client("portal"), client("other"));
        let claim = async |client: &'static ClientId| {
            write!(db, tx => rp_sessions::claim_logout_token(tx, ISSUER, client, hash("jti"), later(100)))
                .unwrap()
        };
        assert!(claim(portal).await);
        assert!(!claim(portal).await);
        assert!(claim(other).await, "another party's");
        insert(db, row("c")).await;
        assert_eq!(write!(db, tx => sweep::sweep(tx, later(99), 100)).unwrap(), 0);
        assert_eq!(write!(db, tx => sweep::sweep(tx, later(100), 100)).unwrap(), 3);
        assert!(claim(portal).await);
    })
    .await;
}
