//! Statements that wait for others of their transaction and then go to the database together.

use std::future::ready;

use vestibule::domain::epoch::Epoch;
use vestibule::domain::grant::{Grant, IssuedCode};
use vestibule::domain::ids::IssuerId;
use vestibule::storage::codes::Redemption;
use vestibule::storage::{
    Error, Result, Tx, codes, ended_sessions, grants, interactions, sessions, tenants, users,
};

use super::races::{winners, won};
use super::rows::{FIRST, NOW, World, interaction, session};
use super::{on_each, read, write};

/// What the end of a login writes: five statements that wait, with some thirty values.
fn finish(tx: &mut Tx<'_>, world: World, rows: (&Grant, &IssuedCode), epoch: Epoch) -> Result<()> {
    interactions::queue_remove(tx, &interaction("1").id)?;
    users::queue_epoch_check(tx, &world.anna.id, epoch)?;
    sessions::queue_insert(tx, session(world.anna, IssuerId::root(), "cookie"))?;
    grants::queue_insert(tx, rows.0)?;
    codes::queue_insert(tx, rows.1)
}

#[tokio::test]
async fn all_that_wait_are_run_with_their_own_values() {
    on_each(async |db| {
        let world = World::store(db).await;
        let (grant, code) = world.new_code("1");
        let (before, one) = (db.statements(), interaction("1"));
        write!(db, tx => ready(interactions::queue_insert(tx, one))).unwrap();
        write!(db, tx => ready(finish(tx, world, (grant, code), FIRST))).unwrap();
        assert_eq!(db.statements() - before, 6);
        let own = session(world.anna, IssuerId::root(), "cookie");
        let found = read!(db, tx => sessions::by_cookie(tx, &own.issuer, &own.cookie, NOW));
        assert_eq!(found.as_ref(), Some(own));
        let Redemption::Fresh(redeemed) = write!(db, tx => codes::redeem(tx, &code.hash, NOW)).unwrap()
        else {
            panic!("the code is there")
        };
        assert_eq!((&redeemed.code, &redeemed.grant), (code, grant));
        assert_eq!(read!(db, tx => interactions::by_id(tx, &one.id, &own.issuer, NOW)), None);
    })
    .await;
}

#[tokio::test]
async fn one_that_comes_too_late_undoes_all() {
    on_each(async |db| {
        let world = World::store(db).await;
        let (grant, code) = world.new_code("1");
        let one = interaction("1");
        let own = session(world.anna, IssuerId::root(), "cookie");
        let untouched = async |login: bool| {
            let found = read!(db, tx => interactions::by_id(tx, &one.id, &own.issuer, NOW));
            assert_eq!(found.is_some(), login);
            assert_eq!(read!(db, tx => sessions::by_cookie(tx, &own.issuer, &own.cookie, NOW)), None);
            assert_eq!(read!(db, tx => grants::by_id(tx, &grant.id)), None);
        };
        let late = write!(db, tx => ready(finish(tx, world, (grant, code), FIRST)));
        assert!(matches!(late, Err(Error::Conflict)), "nobody has begun it");
        untouched(false).await;

        write!(db, tx => ready(interactions::queue_insert(tx, one))).unwrap();
        let late = write!(db, tx => ready(finish(tx, world, (grant, code), FIRST.next())));
        assert!(matches!(late, Err(Error::Conflict)), "the password is another one");
        untouched(true).await;

        write!(db, tx => ready(sessions::queue_insert(tx, own))).unwrap();
        let late = write!(db, tx => ready(finish(tx, world, (grant, code), FIRST)));
        assert!(matches!(late, Err(Error::Conflict)), "the cookie is taken");
        write!(db, tx => ended_sessions::end(tx, &own.id)).unwrap();
        untouched(true).await;
        write!(db, tx => ready(finish(tx, world, (grant, code), FIRST))).unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_that_end_a_login_one_does() {
    on_each(async |db| {
        let world = World::store(db).await;
        let one = interaction("1");
        write!(db, tx => ready(interactions::queue_insert(tx, one))).unwrap();
        let end = async |runner: usize| {
            let (grant, code) = world.new_code(&runner.to_string());
            won(write!(db, tx => async {
                interactions::queue_remove(tx, &one.id)?;
                grants::queue_insert(tx, grant)?;
                codes::queue_insert(tx, code)
            }))
        };
        assert_eq!(winners(end).await, 1);
    })
    .await;
}

#[tokio::test]
async fn what_is_asked_sees_what_waits() {
    on_each(async |db| {
        let world = World::store(db).await;
        let (grant, _) = world.new_code("1");
        let found = write!(db, tx => async {
            grants::queue_insert(tx, grant)?;
            grants::by_id(tx, &grant.id).await
        });
        assert_eq!(found.unwrap().as_ref(), Some(grant));
    })
    .await;
}

#[tokio::test]
async fn what_reads_does_not_write() {
    on_each(async |db| {
        let world = World::store(db).await;
        let (grant, _) = world.new_code("1");
        let mut reader = db.read();
        assert!(grants::queue_insert(&mut reader.tx(), grant).is_err());
        assert!(
            tenants::by_id(&mut reader.tx(), &world.tenant.id).await.unwrap().is_some(),
            "it still reads"
        );
    })
    .await;
}
