//! The key promise over the real router: in any order of actions, in two browsers with several tabs each, a code only
//! stands for what was proved, and no route raises or keeps a level without a factor of that level.
//!
//! `acts` defines the actions, `game` with `logins` and `resets` performs them, `world` reads the provider's state, and
//! `truth` records what was really proved: by which user, in which login of which browser, with which password and
//! authenticator, and when. The record is never taken from a page's content; results are compared with it.

mod acts;
mod game;
mod logins;
mod resets;
mod truth;
mod world;

use proptest::test_runner::{Config, TestRunner};

use self::game::Game;

#[test]
fn no_order_of_acts_yields_what_was_not_earned() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let cases = std::env::var("VESTIBULE_TEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(24);
    let config = Config { cases, failure_persistence: None, max_shrink_time: 20_000, ..Config::default() };
    let told = TestRunner::new(config).run(&acts::acts(), |acts| {
        runtime.block_on(async {
            let mut game = Game::begin().await;
            for act in &acts {
                game.perform(act).await;
            }
        });
        Ok(())
    });
    told.unwrap();
}
