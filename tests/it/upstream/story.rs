//! The whole way in a real Chromium: the choice by keyboard, there and back, and the choice remembered.

use axum::Router;
use axum::response::Html;
use axum::routing::get;
use thirtyfour::Key;

use super::*;
use crate::support::chromium::{Chromium, Habits, browse};

/// Looks at the page on a telephone in the dark and on a desk in the light.
async fn look(browser: &Chromium, page: &str) {
    for (width, scheme) in [(320, "dark"), (1280, "light")] {
        let name = format!("upstream/{page}");
        assert_eq!(browser.look(width, scheme, &name).await, Vec::<String>::new(), "{page} {width} {scheme}");
    }
}

async fn sign_in_there(browser: &Chromium, world: &World, username: &str) {
    assert!(browser.address().await.starts_with(&world.north_url));
    for (field, value) in [("tenant", "north.sms"), ("username", username), ("password", PASSWORD)] {
        browser.fill(field, value).await;
    }
    browser.submit().await;
}

async fn story(habits: Habits) {
    let world = World::new(ALWAYS).await;
    let (listener, shop) = listen().await;
    let arrived = Html("<!doctype html><title>Shop</title><main data-step=\"shop\"><h1>Arrived</h1></main>");
    serve(listener, Router::new().route("/callback", get(async move || arrived)));
    let callback = format!("{shop}/callback");
    let client = format!("[[clients]]\nclient_id = \"shop\"\nredirect_uris = [\"{callback}\"]");
    world.idp.idp().apply(&client).await.unwrap();
    let shop = world.idp.application("shop", &callback);
    browse(habits, async |browser| {
        let login = shop.authorization_url("openid");
        browser.open(&login).await;
        look(browser, "1-choice").await;
        browser.tab_to("main a[href*='/with/']").await;
        browser.leave(async || browser.press(Key::Enter).await).await;
        sign_in_there(browser, &world, "nick").await;
        assert_eq!(browser.step().await, "upstream_proof");
        look(browser, "2-blocked").await;
        browser.submit().await;
        while !browser.address().await.starts_with(&world.north_url) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        sign_in_there(browser, &world, "nora").await;
        assert_eq!(browser.step().await, "second_factor");
        browser.fill("code", &totp(SECRET, world.north.idp().now())).await;
        browser.submit().await;
        // It goes there by itself, with scripts and without.
        while !browser.address().await.starts_with(&callback) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(browser.text("h1").await, "Arrived");
        browser.open(&format!("{login}&prompt=login")).await;
        look(browser, "3-remembered").await;
        // What was taken the last time has the focus.
        browser.leave(async || browser.press(Key::Enter).await).await;
        assert!(browser.address().await.starts_with(&world.north_url));
        let complaints = browser.complaints().await;
        let own: Vec<_> =
            complaints.iter().filter(|said| !said.contains("favicon") && !said.contains("403")).collect();
        assert!(own.is_empty(), "{own:?}");
    })
    .await;
}

#[tokio::test]
async fn the_whole_way_works_by_keyboard_too() {
    story(Habits::default()).await;
}

#[tokio::test]
async fn and_without_scripts() {
    story(Habits { javascript: false, ..Habits::default() }).await;
}
