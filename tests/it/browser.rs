//! The hosted login in a real Chromium.

use axum::Router;
use axum::response::Html;
use axum::routing::get;

use crate::support::chromium::{Habits, browse};
use crate::support::serve;

#[tokio::test]
async fn a_browser_without_scripts_runs_none() {
    const PAGE: &str = "<!doctype html><title>x</title><main>none</main>
        <script>document.querySelector('main').append('!')</script>";
    let address = serve(Router::new().route("/", get(async || Html(PAGE)))).await;
    for (javascript, text) in [(true, "none!"), (false, "none")] {
        browse(Habits { javascript, ..Habits::default() }, async |browser| {
            browser.open(&address).await;
            assert_eq!(browser.text("main").await, text);
        })
        .await;
    }
}

#[tokio::test]
async fn what_makes_a_page_hard_to_use_is_found() {
    const PAGE: &str = "<!doctype html><meta charset=utf-8><body style='background:#111'>
        <h1 style='color:#eee'>One</h1><h1 style='color:oklch(0.3 0 0)'>Two</h1>
        <p style='color:#fff; width:4000px'><a href=/ style='color:inherit'>fine</a></p>
        <style>input { height: 30px }</style><input name=bare><label for=gone style='color:#fff'>Label</label>
        <img src=/><button id=x style='width:9px; padding:0'></button><b id=x></b>
        <input aria-label=hidden aria-invalid=true>";
    let address = serve(Router::new().route("/", get(async || Html(PAGE)))).await;
    browse(Habits::default(), async |browser| {
        browser.open(&address).await;
        let found = [
            "no title",
            "no language",
            "2 headings of the first level",
            "0 main regions",
            "scrolls sideways",
            "two elements are x",
            "<label> Label: for names gone, which is not there",
            "<input> bare: no name",
            "<img> : no name",
            "<button> x: no name",
            "<input> bare: no label to see",
            "<input> : no label to see",
            "<input> : its error is not tied to it",
            "<button> x: too small a target",
            "<h1> Two: contrast 1.4",
        ];
        assert_eq!(browser.faults().await, found);
    })
    .await;
}
