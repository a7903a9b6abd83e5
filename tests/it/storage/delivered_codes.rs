//! Codes that were sent: one for each ceremony and purpose, five tries, used once.

use std::future::ready;

use vestibule::domain::authenticator::{Authenticator, AuthenticatorState};
use vestibule::domain::ids::{CeremonyId, MessageId};
use vestibule::domain::message::CodePurpose;
use vestibule::domain::time::Time;
use vestibule::domain::user::User;
use vestibule::storage::delivered_codes::{self, NewDeliveredCode, Tried};
use vestibule::storage::{Db, authenticators, interactions, sweep::sweep};

use super::races::winners;
use super::rows::{NOW, World, authenticator, hash, interaction, keep, later};
use super::{on_each, write};

/// A login of Anna's, and two numbers that she begins to enrol.
struct Begun {
    anna: &'static User,
    one: &'static Authenticator,
    two: &'static Authenticator,
}

async fn begin(db: &Db) -> Begun {
    let World { anna, .. } = World::store(db).await;
    let login = interaction("1");
    let one = authenticator(anna, "one", AuthenticatorState::Pending);
    let two = authenticator(anna, "two", AuthenticatorState::Pending);
    write!(db, tx => async {
        interactions::queue_insert(tx, login)?;
        authenticators::insert(tx, one, None).await?;
        authenticators::insert(tx, two, None).await
    })
    .unwrap();
    Begun { anna, one, two }
}

/// Sends a code, in the message of the same name.
async fn send(db: &Db, to: &Authenticator, code: &str) -> (&'static NewDeliveredCode, Option<MessageId>) {
    let new = keep(NewDeliveredCode {
        ceremony: CeremonyId::new("1"),
        purpose: CodePurpose::Address,
        authenticator: to.id.clone(),
        hash: hash(code).clone(),
        message: MessageId::new(code),
        expires_at: later(300),
    });
    let replaced = write!(db, tx => delivered_codes::replace(tx, new)).unwrap();
    (new, replaced)
}

async fn attempt(db: &Db, new: &'static NewDeliveredCode, code: &str, now: Time) -> Tried {
    let (id, hash) = (&new.ceremony, hash(code));
    write!(db, tx => delivered_codes::attempt(tx, id, new.purpose, &new.authenticator, hash, 5, now)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_bring_the_code_at_once_one_gets_it() {
    on_each(async |db| {
        let Begun { one, .. } = begin(db).await;
        let (new, _) = send(db, one, "493817").await;
        let right = winners(async |_| attempt(db, new, "493817", NOW).await == Tried::Right);
        assert_eq!(right.await, 1);
        assert_eq!(attempt(db, new, "493817", NOW).await, Tried::Void);
    })
    .await;
}

/// Attacks 126 and 131.
#[tokio::test(flavor = "multi_thread")]
async fn many_guesses_at_once_find_five_tries() {
    on_each(async |db| {
        let Begun { one, .. } = begin(db).await;
        let (new, _) = send(db, one, "493817").await;
        let looked_at = winners(async |n| attempt(db, new, &format!("{n}"), NOW).await == Tried::Wrong);
        assert_eq!(looked_at.await, 5);
        assert_eq!(attempt(db, new, "493817", NOW).await, Tried::Void, "the right one comes too late");
    })
    .await;
}

#[tokio::test]
async fn a_code_is_good_for_its_time_its_purpose_and_its_authenticator() {
    on_each(async |db| {
        let Begun { one, two, .. } = begin(db).await;
        let (new, _) = send(db, one, "1").await;
        assert_eq!(attempt(db, new, "1", new.expires_at).await, Tried::Void);
        let other = keep(NewDeliveredCode { purpose: CodePurpose::SignIn, ..new.clone() });
        assert_eq!(attempt(db, other, "1", NOW).await, Tried::Void);
        let other = keep(NewDeliveredCode { authenticator: two.id.clone(), ..new.clone() });
        assert_eq!(attempt(db, other, "1", NOW).await, Tried::Void);
        let other = keep(NewDeliveredCode { ceremony: CeremonyId::new("2"), ..new.clone() });
        assert_eq!(attempt(db, other, "1", NOW).await, Tried::Void);
        assert_eq!(attempt(db, new, "1", NOW).await, Tried::Right);
    })
    .await;
}

#[tokio::test]
async fn a_new_code_makes_the_old_one_void_and_has_tries_of_its_own() {
    on_each(async |db| {
        let Begun { anna, one, two } = begin(db).await;
        let (old, replaced) = send(db, one, "1").await;
        assert_eq!(replaced, None);
        for _ in 0..5 {
            assert_eq!(attempt(db, old, "x", NOW).await, Tried::Wrong);
        }
        let (new, replaced) = send(db, one, "2").await;
        assert_eq!(replaced, Some(MessageId::new("1")), "its message can be called back");
        assert_eq!(attempt(db, new, "1", NOW).await, Tried::Wrong);
        assert_eq!(attempt(db, new, "2", NOW).await, Tried::Right);
        let (third, _) = send(db, two, "3").await;
        assert_eq!(attempt(db, old, "3", NOW).await, Tried::Void, "the destination was changed");
        write!(db, tx => authenticators::remove_pending(tx, &anna.id)).unwrap();
        assert_eq!(attempt(db, third, "3", NOW).await, Tried::Void, "gone with its authenticator");
    })
    .await;
}

/// A reset has a ceremony of its own: its code is apart from that of any login.
#[tokio::test]
async fn a_code_is_sent_in_a_reset_as_it_is_in_a_login() {
    on_each(async |db| {
        let Begun { one, .. } = begin(db).await;
        let (of_login, _) = send(db, one, "1").await;
        let of_reset = keep(NewDeliveredCode {
            ceremony: CeremonyId::new("2"),
            purpose: CodePurpose::SignIn,
            hash: hash("2").clone(),
            message: MessageId::new("2"),
            ..of_login.clone()
        });
        assert_eq!(write!(db, tx => delivered_codes::replace(tx, of_reset)).unwrap(), None);
        assert_eq!(attempt(db, of_reset, "1", NOW).await, Tried::Wrong);
        assert_eq!(attempt(db, of_login, "2", NOW).await, Tried::Wrong);
        assert_eq!(attempt(db, of_reset, "2", NOW).await, Tried::Right);
        assert_eq!(attempt(db, of_reset, "2", NOW).await, Tried::Void, "once");
        let third = keep(NewDeliveredCode {
            hash: hash("3").clone(),
            message: MessageId::new("3"),
            ..of_reset.clone()
        });
        let replaced = write!(db, tx => delivered_codes::replace(tx, third)).unwrap();
        assert_eq!(replaced, Some(MessageId::new("2")));
        assert_eq!(attempt(db, third, "3", third.expires_at).await, Tried::Void);
        assert_eq!(attempt(db, of_login, "1", NOW).await, Tried::Right, "each has its own");
    })
    .await;
}

#[tokio::test]
async fn an_expired_code_is_swept() {
    on_each(async |db| {
        let Begun { one, .. } = begin(db).await;
        send(db, one, "1").await;
        assert_eq!(write!(db, tx => sweep(tx, later(299), 100)).unwrap(), 0);
        assert_eq!(write!(db, tx => sweep(tx, later(300), 100)).unwrap(), 1);
    })
    .await;
}

/// Two pages that send a code at once.
#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_hold_a_login_and_change_it_one_does() {
    on_each(async |db| {
        let login = interaction("1");
        write!(db, tx => ready(interactions::queue_insert(tx, login))).unwrap();
        let held = winners(async |_| {
            write!(db, tx => async {
                Ok(interactions::hold(tx, login).await? && interactions::save(tx, login).await?)
            })
            .unwrap()
        });
        assert_eq!(held.await, 1);
    })
    .await;
}
