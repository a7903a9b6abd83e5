//! The hosted login in a real Chromium.

use axum::Router;
use axum::response::Html;
use axum::routing::get;

use crate::support::chromium::{Habits, browse};
use crate::support::serve;

#[tokio::test]
async fn a_browser_without_scripts_runs_none() {
    const PAGE: &str = "<!doctype html><title>x</title><main>none</main><script>document.querySelector('main').append('!')</script>";
    let address = serve(Router::new().route("/", get(async || Html(PAGE)))).await;
    for (javascript, text) in [(true, "none!"), (false, "none")] {
        browse(Habits { javascript, ..Habits::default() }, async |browser| {
            browser.open(&address).await;
            assert_eq!(browser.text("main").await, text);
            browser.look(320, "dark", "trial").await;
        })
        .await;
    }
}
