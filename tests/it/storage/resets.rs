//! Links to a new password: one use, a ticket after it, and the queue of those who asked.

use vestibule::domain::ids::{IssuerId, ResetRequestId};
use vestibule::domain::reset::{self, Reset, ResetProgress, ResetPurpose};
use vestibule::storage::reset_requests::{self, QueuedResetRequest};
use vestibule::storage::{resets, sweep::sweep, users};

use super::races::winners;
use super::rows::{FIRST, NOW, World, hash, keep, later};
use super::{on_each, read, write};

fn link(world: &World, name: &str) -> &'static Reset {
    keep(Reset {
        link: hash(name).clone(),
        ticket: None,
        issuer: IssuerId::root(),
        user: world.anna.id.clone(),
        purpose: ResetPurpose::Forgotten,
        epoch: FIRST,
        progress: ResetProgress { sent_to: world.anna.address(), ..ResetProgress::default() },
        expires_at: NOW.plus(reset::LINK),
        version: 0,
    })
}

fn used(reset: &Reset, ticket: &str) -> &'static Reset {
    let progress = ResetProgress { changed: true, ..reset.progress.clone() };
    let (ticket, expires_at) = (Some(hash(ticket).clone()), later(900));
    keep(Reset { ticket, progress, expires_at, ..reset.clone() })
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_bring_a_link_one_uses_it_and_its_ticket_opens_what_follows() {
    on_each(async |db| {
        let world = World::store(db).await;
        let root = keep(IssuerId::root());
        let new = link(&world, "link");
        write!(db, tx => resets::replace(tx, new)).unwrap();
        assert_eq!(read!(db, tx => resets::by_secret(tx, root, &new.link, NOW)).as_ref(), Some(new));
        let run = async |runner: usize| {
            let mine = used(new, &format!("ticket {runner}"));
            write!(db, tx => resets::use_up(tx, mine, NOW)).unwrap()
        };
        assert_eq!(winners(run).await, 1);
        assert_eq!(
            read!(db, tx => resets::by_secret(tx, root, &new.link, NOW)),
            None,
            "the link is nobody's"
        );
        let mut opened = Vec::new();
        for runner in 0..32 {
            let ticket = hash(&format!("ticket {runner}"));
            opened.extend(read!(db, tx => resets::by_secret(tx, root, ticket, NOW)));
        }
        assert_eq!(opened.len(), 1);
        assert!(opened[0].progress.changed && opened[0].version == 1);
    })
    .await;
}

#[tokio::test]
async fn a_link_ends_in_time_at_its_issuer_and_by_a_newer_one() {
    on_each(async |db| {
        let world = World::store(db).await;
        let (root, other) = (keep(IssuerId::root()), keep(IssuerId::new("other")));
        let (first, second) = (link(&world, "first"), link(&world, "second"));
        write!(db, tx => resets::replace(tx, first)).unwrap();
        assert_eq!(read!(db, tx => resets::by_secret(tx, other, &first.link, NOW)), None);
        let last = keep(first.expires_at.minus(std::time::Duration::from_secs(1)));
        assert!(read!(db, tx => resets::by_secret(tx, root, &first.link, *last)).is_some());
        assert_eq!(read!(db, tx => resets::by_secret(tx, root, &first.link, first.expires_at)), None);
        let late = used(first, "late");
        assert!(!write!(db, tx => resets::use_up(tx, late, first.expires_at)).unwrap());
        write!(db, tx => resets::replace(tx, second)).unwrap();
        assert_eq!(read!(db, tx => resets::by_secret(tx, root, &first.link, NOW)), None, "void by the newer");
        let going_on = used(second, "ticket");
        assert!(write!(db, tx => resets::use_up(tx, going_on, NOW)).unwrap());
        let third = link(&world, "third");
        write!(db, tx => resets::replace(tx, third)).unwrap();
        assert!(
            read!(db, tx => resets::by_secret(tx, root, hash("ticket"), NOW)).is_some(),
            "a ticket stays"
        );
        assert_eq!(write!(db, tx => resets::remove_all(tx, &third.user)).unwrap(), 2);
        assert_eq!(read!(db, tx => resets::by_secret(tx, root, hash("ticket"), NOW)), None);
        write!(db, tx => resets::replace(tx, third)).unwrap();
        assert!(write!(db, tx => sweep(tx, third.expires_at, 10)).unwrap() >= 1);
        assert!(!write!(db, tx => resets::remove(tx, &third.link)).unwrap(), "the broom took it");
    })
    .await;
}

#[tokio::test]
async fn of_two_tabs_the_second_is_told_that_it_is_late() {
    on_each(async |db| {
        let world = World::store(db).await;
        let new = link(&world, "link");
        write!(db, tx => resets::replace(tx, new)).unwrap();
        let changed = used(new, "ticket");
        assert!(write!(db, tx => resets::save(tx, changed)).unwrap());
        assert!(
            !write!(db, tx => resets::save(tx, changed)).unwrap(),
            "its version is not the row's any more"
        );
    })
    .await;
}

/// One of two passwords chosen at once counts, and it ends the duty to choose one.
#[tokio::test(flavor = "multi_thread")]
async fn one_changes_the_password() {
    on_each(async |db| {
        let World { anna, .. } = World::store(db).await;
        write!(db, tx => users::set_must_change_password(tx, &anna.id, true)).unwrap();
        let before = read!(db, tx => users::credentials_by_id(tx, &anna.id)).unwrap();
        assert!(before.must_change_password);
        let epoch = before.user.epoch;
        let run = async |runner: usize| {
            let hash: &str = keep(format!("hash {runner}"));
            let change = write!(db, tx => async {
                let ours = users::change_password(tx, &anna.id, hash, epoch).await?;
                if ours {
                    users::raise_epoch(tx, &anna.id).await?;
                }
                Ok(ours)
            });
            change.unwrap()
        };
        assert_eq!(winners(run).await, 1);
        let after = read!(db, tx => users::credentials_by_id(tx, &anna.id)).unwrap();
        assert_eq!((after.must_change_password, after.user.epoch), (false, epoch.next()));
    })
    .await;
}

#[tokio::test]
async fn an_enrolment_that_is_begun_anew_asks_anew() {
    on_each(async |db| {
        let World { anna, .. } = World::store(db).await;
        write!(db, tx => users::desktop_asked(tx, &anna.id, None, NOW)).unwrap();
        assert!(!read!(db, tx => users::credentials_by_id(tx, &anna.id)).unwrap().desktop_unasked);
        assert!(write!(db, tx => users::begin_enrolment(tx, &anna.id)).unwrap());
        let anew = read!(db, tx => users::credentials_by_id(tx, &anna.id)).unwrap();
        assert!(anew.desktop_unasked);
        assert_eq!(anew.user.personal_desktop, anna.personal_desktop, "what it is called stays known");
    })
    .await;
}

#[tokio::test]
async fn users_are_found_by_their_address() {
    on_each(async |db| {
        let World { anna, .. } = World::store(db).await;
        let found = read!(db, tx => users::by_address(tx, &anna.tenant, "anna@example.test"));
        assert!(found.iter().any(|found| found.user.id == anna.id));
        assert!(found.iter().all(|found| found.user.tenant == anna.tenant), "of this tenant alone");
        assert!(read!(db, tx => users::by_address(tx, &anna.tenant, "nobody@example.test")).is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_nodes_one_answers_a_wish() {
    on_each(async |db| {
        for (number, created_at) in [(1, later(1)), (0, NOW), (2, later(2))] {
            let (id, sealed) = (ResetRequestId::new(number.to_string()), format!("sealed {number}"));
            let wish = keep(QueuedResetRequest { id, sealed, created_at });
            assert!(write!(db, tx => reset_requests::insert(tx, wish)).unwrap());
        }
        let oldest = read!(db, tx => reset_requests::oldest(tx, 2));
        let ids: Vec<_> = oldest.iter().map(|wish| wish.id.as_str()).collect();
        assert_eq!(ids, ["0", "1"]);
        let id = keep(oldest[0].id.clone());
        let run = async |_| write!(db, tx => reset_requests::take(tx, id)).unwrap();
        assert_eq!(winners(run).await, 1);
        let late = keep(later(1).plus(reset::LINK));
        write!(db, tx => sweep(tx, *late, 10)).unwrap();
        let left = read!(db, tx => reset_requests::oldest(tx, 9));
        assert_eq!(left.len(), 1, "who has waited for half an hour is forgotten: {left:?}");
    })
    .await;
}
