//! The house's promise over the real router: whatever is done in whatever order, in two browsers with several tabs each, a
//! code only ever stands for what was proved, and no way round raises or keeps a level without a factor of that level.
//!
//! `acts` says what can be done, `game` with `logins` and `resets` does it, `world` is what the provider holds, and `truth` keeps the books of what
//! really was proved: by whom, in which login of which browser, with which password and which authenticator, and when. What
//! the books say is never taken from what a page says about itself; what comes out is held against them.

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
