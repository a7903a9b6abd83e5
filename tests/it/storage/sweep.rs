//! Removing what has expired.

use std::future::ready;

use vestibule::domain::authenticator::AuthenticatorState;
use vestibule::domain::ids::{ClientId, IssuerId};
use vestibule::storage::attempts::{self, AttemptKind, Budget, Rate};
use vestibule::storage::codes::Redemption;
use vestibule::storage::{assertions, authenticators, codes, grants, interactions, sessions, sweep::sweep};

use super::rows::{NOW, World, authenticator, hash, interaction, keep, later, session};
use super::{on_each, read, write};

const DAY: u64 = 24 * 3600;

#[tokio::test]
async fn what_has_expired_goes_and_what_lives_stays() {
    on_each(async |db| {
        let world = World::store(db).await;
        let login = interaction("1");
        let (grant, code) = world.code(db, "1").await;
        let own = session(world.anna, IssuerId::root(), "c");
        let pending = authenticator(world.anna, "p", AuthenticatorState::Pending);
        let active = authenticator(world.anna, "a", AuthenticatorState::Active);
        let (root, shop) = (keep(IssuerId::root()), keep(ClientId::new("shop")));
        write!(db, tx => async {
            interactions::queue_insert(tx, login)?;
            sessions::queue_insert(tx, own)?;
            authenticators::insert(tx, pending, Some("sealed")).await?;
            authenticators::insert(tx, active, Some("sealed")).await?;
            assertions::claim(tx, root, shop, hash("jti"), later(60)).await?;
            attempts::flow(tx, hash("ip"), NOW, Rate { count: 1, per: std::time::Duration::from_mins(1) }).await
        })
        .unwrap();

        assert_eq!(write!(db, tx => sweep(tx, NOW, 100)).unwrap(), 0);
        assert_eq!(write!(db, tx => sweep(tx, later(60), 100)).unwrap(), 2, "assertion and rate");
        assert_eq!(write!(db, tx => sweep(tx, later(359), 100)).unwrap(), 0);
        // The used code is known as long as its grant is.
        assert!(matches!(
            write!(db, tx => codes::redeem(tx, &code.hash, NOW)).unwrap(),
            Redemption::Fresh(_)
        ));
        assert_eq!(write!(db, tx => sweep(tx, later(360), 100)).unwrap(), 1, "the grant");
        assert_eq!(read!(db, tx => grants::by_id(tx, &grant.id)), None);
        assert!(matches!(
            write!(db, tx => codes::redeem(tx, &code.hash, NOW)).unwrap(),
            Redemption::Unknown
        ));
        assert_eq!(write!(db, tx => sweep(tx, later(900), 100)).unwrap(), 1, "the login");
        assert_eq!(write!(db, tx => sweep(tx, later(3600), 100)).unwrap(), 1, "the session");
        assert_eq!(write!(db, tx => sweep(tx, later(DAY), 100)).unwrap(), 1, "the enrolment");
        assert_eq!(write!(db, tx => sweep(tx, later(1000 * DAY), 100)).unwrap(), 0);
        assert!(read!(db, tx => authenticators::by_id(tx, &active.id)).is_some());
    })
    .await;
}

#[tokio::test]
async fn a_batch_is_no_larger_than_asked() {
    on_each(async |db| {
        for name in ["1", "2", "3"] {
            let login = interaction(name);
            write!(db, tx => ready(interactions::queue_insert(tx, login))).unwrap();
        }
        let mut batches = Vec::new();
        for _ in 0..3 {
            batches.push(write!(db, tx => sweep(tx, later(900), 2)).unwrap());
        }
        assert_eq!(batches, [2, 1, 0]);
    })
    .await;
}

#[tokio::test]
async fn failures_are_forgotten_after_a_month_and_a_hard_stop_never() {
    on_each(async |db| {
        const BUDGET: Budget = Budget {
            tries: 5,
            first_lock: std::time::Duration::from_mins(5),
            longest_lock: std::time::Duration::from_hours(1),
            hard_stop: 3,
        };
        for (key, tries) in [("some", 2), ("stopped", 3)] {
            for _ in 0..tries {
                write!(db, tx => attempts::reserve(tx, hash(key), AttemptKind::Otp, NOW, &BUDGET)).unwrap();
            }
        }
        assert_eq!(write!(db, tx => sweep(tx, later(30 * DAY - 1), 100)).unwrap(), 0);
        assert_eq!(write!(db, tx => sweep(tx, later(30 * DAY), 100)).unwrap(), 1);
        assert_eq!(write!(db, tx => sweep(tx, later(3000 * DAY), 100)).unwrap(), 0);
    })
    .await;
}
