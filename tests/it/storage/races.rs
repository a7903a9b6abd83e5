//! Races: many come for one thing at once, one gets it.

use std::future::ready;

use futures_util::future::join_all;
use vestibule::domain::authenticator::AuthenticatorState;
use vestibule::domain::client::SigningAlgorithm;
use vestibule::domain::ids::{ClientId, Hash, IssuerId};
use vestibule::domain::session::Session;
use vestibule::storage::codes::Redemption;
use vestibule::storage::{
    Error, Result, assertions, authenticators, codes, ended_sessions, interactions, keys, recovery_codes,
    sealed_salts, sessions, users,
};

use super::rows::{NOW, World, authenticator, hash, interaction, keep, later, session};
use super::tenants::key;
use super::{on_each, read, write};

const RUNNERS: usize = 32;

/// Did a write come first, which is a conflict where it came late?
pub(super) fn won(written: Result<()>) -> bool {
    match written {
        Err(Error::Conflict) => false,
        written => written.map(|()| true).unwrap(),
    }
}

/// Runs it 32 times at once and counts the winners.
pub(super) async fn winners(run: impl AsyncFn(usize) -> bool) -> usize {
    join_all((0..RUNNERS).map(|runner| run(runner))).await.into_iter().filter(|won| *won).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_redeems_a_code_and_the_others_are_told_that_it_was_used() {
    on_each(async |db| {
        let world = World::store(db).await;
        let (grant, code) = world.code(db, "1").await;
        let fresh = winners(async |_| match write!(db, tx => codes::redeem(tx, &code.hash, NOW)).unwrap() {
            Redemption::Fresh(_) => true,
            Redemption::Reused(id) => {
                assert_eq!(id, grant.id);
                false
            }
            Redemption::Unknown => panic!("neither"),
        });
        assert_eq!(fresh.await, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_uses_a_recovery_code() {
    on_each(async |db| {
        let World { anna, .. } = World::store(db).await;
        let codes: &[Hash] = keep([hash("1").clone()]);
        write!(db, tx => recovery_codes::replace(tx, &anna.id, codes)).unwrap();
        let redeem =
            async |_| write!(db, tx => recovery_codes::redeem(tx, &anna.id, &codes[0], NOW)).unwrap();
        assert_eq!(winners(redeem).await, 1);
    })
    .await;
}

/// Of concurrent logins one consumes a time step.
#[tokio::test(flavor = "multi_thread")]
async fn one_uses_a_time_step() {
    on_each(async |db| {
        let World { anna, .. } = World::store(db).await;
        let own = authenticator(anna, "own", AuthenticatorState::Active);
        write!(db, tx => authenticators::insert(tx, own, Some("sealed"))).unwrap();
        let accept = async |_| write!(db, tx => authenticators::accept(tx, &own.id, 11, 0, NOW)).unwrap();
        assert_eq!(winners(accept).await, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_enrolments_confirmed_at_once_one_remains() {
    on_each(async |db| {
        let World { anna, .. } = World::store(db).await;
        let begun: Vec<_> =
            (0..8).map(|name| authenticator(anna, &name.to_string(), AuthenticatorState::Pending)).collect();
        for each in begun.iter().copied() {
            write!(db, tx => authenticators::insert(tx, each, Some("sealed"))).unwrap();
        }
        let confirm = async |each: &'static vestibule::domain::authenticator::Authenticator| {
            write!(db, tx => async {
                users::hold(tx, &anna.id).await?;
                let confirmed = authenticators::confirm(tx, &each.id, 11, NOW).await?;
                if confirmed {
                    authenticators::revoke_others(tx, &anna.id, &each.id).await?;
                }
                Ok(confirmed)
            })
            .unwrap()
        };
        let confirmed = join_all(begun.iter().copied().map(confirm)).await;
        assert_eq!(confirmed.into_iter().filter(|won| *won).count(), 1);
        assert_eq!(write!(db, tx => authenticators::remove_all(tx, &anna.id)).unwrap(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_ends_changes_and_owns_a_login() {
    on_each(async |db| {
        let login = interaction("1");
        write!(db, tx => ready(interactions::queue_insert(tx, login))).unwrap();
        let bind = async |runner: usize| {
            let browser = hash(&runner.to_string());
            write!(db, tx => interactions::bind(tx, &login.id, browser)).unwrap()
        };
        assert_eq!(winners(bind).await, 1);
        let save = async |_| write!(db, tx => interactions::save(tx, login)).unwrap();
        assert_eq!(winners(save).await, 1);
        let remove = async |_| won(write!(db, tx => ready(interactions::queue_remove(tx, &login.id))));
        assert_eq!(winners(remove).await, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_renews_and_one_ends_a_session() {
    on_each(async |db| {
        let World { anna, .. } = World::store(db).await;
        let own = session(anna, IssuerId::root(), "old");
        write!(db, tx => ready(sessions::queue_insert(tx, own))).unwrap();
        let renew = async |runner: usize| {
            let renewed = keep(Session { cookie: Hash::new(format!("new {runner}")), ..own.clone() });
            write!(db, tx => sessions::replace_cookie(tx, &own.cookie, renewed)).unwrap()
        };
        assert_eq!(winners(renew).await, 1);
        assert_eq!(
            winners(async |_| write!(db, tx => ended_sessions::end(tx, &own.id)).unwrap().is_some()).await,
            1
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_claims_an_assertion_and_one_makes_the_first_key() {
    on_each(async |db| {
        let (root, shop) = (keep(IssuerId::root()), keep(ClientId::new("shop")));
        let claim =
            async |_| write!(db, tx => assertions::claim(tx, root, shop, hash("jti"), later(60))).unwrap();
        assert_eq!(winners(claim).await, 1);
        let make = async |runner: usize| {
            let key = keep(key(root, &runner.to_string(), SigningAlgorithm::Rs256));
            write!(db, tx => keys::insert_first(tx, key)).unwrap()
        };
        assert_eq!(winners(make).await, 1);
        assert_eq!(read!(db, tx => keys::of_issuer(tx, root)).len(), 1);
        let draw = async |runner: usize| {
            let sealed = keep(runner.to_string());
            write!(db, tx => sealed_salts::insert_first(tx, "pairwise", sealed)).unwrap()
        };
        assert_eq!(winners(draw).await, 1);
        assert!(read!(db, tx => sealed_salts::by_name(tx, "pairwise")).is_some());
    })
    .await;
}
