//! Budgets for guesses.

use std::future::ready;

use std::time::Duration;

use vestibule::domain::time::Time;
use vestibule::storage::attempts::{self, AttemptKind, Budget, Rate, Reservation};
use vestibule::storage::{Db, Error};

use super::rows::{NOW, hash, later};
use super::{on_each, read, write};

const BUDGET: Budget = Budget {
    tries: 5,
    first_lock: Duration::from_mins(5),
    longest_lock: Duration::from_hours(1),
    hard_stop: 100,
};

/// Reserves a try. A caller that is told to come back, because too many wait for the row, comes back.
async fn reserve(db: &Db, now: Time) -> Reservation {
    loop {
        match write!(db, tx => attempts::reserve(tx, hash("k"), AttemptKind::Password, now, &BUDGET)) {
            Err(Error::Busy(_)) => tokio::task::yield_now().await,
            answer => return answer.unwrap(),
        }
    }
}

/// 5 failures, 5 minutes, doubling to 60, a hard stop at 100.
#[tokio::test]
async fn locks_double_until_only_an_administrator_can_help() {
    on_each(async |db| {
        let mut now = NOW;
        let mut locks = Vec::new();
        for failures in 1..=99 {
            let taken = reserve(db, now).await;
            let Reservation::Taken { failures: counted, lock } = taken else {
                panic!("{failures}: {taken:?}")
            };
            assert_eq!((counted, lock.is_some()), (failures, failures % 5 == 0));
            if let Some(until) = lock {
                locks.push(until.since(now) / 60);
                assert_eq!(reserve(db, now).await, Reservation::Locked(until));
                assert_eq!(
                    reserve(db, until.minus(Duration::from_secs(1))).await,
                    Reservation::Locked(until)
                );
                now = until;
            }
        }
        assert_eq!(locks[..6], [5, 10, 20, 40, 60, 60]);
        assert!(matches!(reserve(db, now).await, Reservation::Taken { failures: 100, .. }));
        for at in [now, later(u64::from(u32::MAX)), Time::from_unix(i64::MAX - 1)] {
            assert_eq!(reserve(db, at).await, Reservation::Stopped);
        }
        write!(db, tx => ready(attempts::queue_success(tx, hash("k"), AttemptKind::Password))).unwrap();
        assert_eq!(reserve(db, now).await, Reservation::Taken { failures: 1, lock: None });
    })
    .await;
}

#[tokio::test]
async fn success_forgets_and_a_check_that_did_not_take_place_costs_nothing() {
    on_each(async |db| {
        for _ in 0..4 {
            reserve(db, NOW).await;
        }
        let fifth = reserve(db, NOW).await;
        let Reservation::Taken { failures: 5, lock: lock @ Some(_) } = fifth else { panic!("{fifth:?}") };
        write!(db, tx => attempts::give_back(tx, hash("k"), AttemptKind::Password, lock)).unwrap();
        assert_eq!(reserve(db, NOW).await, fifth);
        assert_eq!(
            read!(db, tx => attempts::locked_until(tx, hash("k"), AttemptKind::Password)),
            Some(NOW.plus(BUDGET.first_lock))
        );
        write!(db, tx => ready(attempts::queue_success(tx, hash("k"), AttemptKind::Password))).unwrap();
        assert_eq!(reserve(db, NOW).await, Reservation::Taken { failures: 1, lock: None });
    })
    .await;
}

#[tokio::test]
async fn each_key_and_kind_counts_alone() {
    on_each(async |db| {
        for _ in 0..6 {
            reserve(db, NOW).await;
        }
        for (key, kind) in
            [("k", AttemptKind::Otp), ("k", AttemptKind::Recovery), ("other", AttemptKind::Password)]
        {
            let taken = write!(db, tx => attempts::reserve(tx, hash(key), kind, NOW, &BUDGET)).unwrap();
            assert_eq!(taken, Reservation::Taken { failures: 1, lock: None });
        }
    })
    .await;
}

/// Concurrent guesses get the same budget as sequential ones.
#[tokio::test]
async fn two_hundred_guesses_at_once_find_five_tries() {
    on_each(async |db| {
        let guesses = (0..200).map(|_| reserve(db, NOW));
        let answers = futures_util::future::join_all(guesses).await;
        let taken = answers.iter().filter(|answer| matches!(answer, Reservation::Taken { .. })).count();
        let locked = Reservation::Locked(NOW.plus(BUDGET.first_lock));
        assert_eq!((taken, answers.iter().filter(|answer| **answer == locked).count()), (5, 195));
    })
    .await;
}

#[tokio::test]
async fn a_rate_drains_evenly() {
    on_each(async |db| {
        const RATE: Rate = Rate { count: 6, per: Duration::from_mins(1) };
        let flow = async |at: u64| write!(db, tx => attempts::flow(tx, hash("ip"), later(at), RATE)).unwrap();
        for _ in 0..6 {
            assert!(flow(0).await);
        }
        assert!(!flow(0).await);
        assert!(!flow(9).await);
        assert!(flow(10).await, "one has drained");
        assert!(!flow(10).await);
        write!(db, tx => ready(attempts::queue_refund(tx, hash("ip"), RATE))).unwrap();
        assert!(flow(10).await);
        assert!(!flow(10).await);
        for _ in 0..6 {
            assert!(flow(600).await, "all have drained");
        }
        assert!(!flow(600).await);
    })
    .await;
}

/// A clock that was days ahead and is corrected does not keep users locked for days.
#[tokio::test]
async fn a_clock_set_back_locks_nobody_out() {
    const RATE: Rate = Rate { count: 6, per: Duration::from_mins(1) };
    const DAY: u64 = 24 * 3600;
    on_each(async |db| {
        let flow = async |at: u64| write!(db, tx => attempts::flow(tx, hash("ip"), later(at), RATE)).unwrap();
        for at in [DAY, 0] {
            for _ in 0..6 {
                assert!(flow(at).await, "{at}");
            }
            assert!(!flow(at).await, "{at}");
        }
        let beside = later(DAY).minus(Time::SKEW);
        for failures in 1..=5 {
            assert!(matches!(reserve(db, later(DAY)).await, Reservation::Taken { failures: at, .. } if at == failures));
        }
        assert!(matches!(reserve(db, beside).await, Reservation::Locked(_)), "another node's clock is late");
        assert_eq!(reserve(db, NOW).await, Reservation::Taken { failures: 6, lock: None });
        for failures in 7..=10 {
            assert!(matches!(reserve(db, NOW).await, Reservation::Taken { failures: at, .. } if at == failures));
        }
        assert_eq!(reserve(db, NOW).await, Reservation::Locked(later(600)));

        let forget = async |now: Time| {
            let week = Duration::from_hours(7 * 24);
            write!(db, tx => attempts::forget(tx, hash("k"), AttemptKind::Password, now, week)).unwrap()
        };
        assert!(!forget(NOW.minus(Time::SKEW)).await);
        assert!(forget(NOW.minus(Duration::from_hours(1))).await);
    })
    .await;
}
