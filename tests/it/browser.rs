//! The demo's story in a real Chromium: a stranger's application, the hosted login, and back.

use serde_json::json;
use thirtyfour::Key;
use vestibule::domain::time::Time;
use vestibule::ext::{Clock as _, SystemClock};
use vestibule::testing::totp;

use super::demo::Demo;
use crate::support::chromium::{Chromium, Habits, browse};

const ANNA: &str = "anna";
const BEN: &str = "ben";
const CARLA: &str = "carla";

/// The code that an authenticator shows so many times 30 seconds from now. A code counts once and the provider accepts
/// the neighbours too, so no test has to wait for the next one.
fn code(secret: &str, steps: i64) -> String {
    totp(secret, Time::from_unix(SystemClock.now().unix() + 30 * steps))
}

/// What a user copies from the enrolment page.
async fn secret(browser: &Chromium) -> String {
    let shown = browser.text(".key code").await;
    let groups: Vec<_> = shown.split_whitespace().collect();
    assert!(groups.len() == 8 && groups.iter().all(|group| group.len() == 4), "{shown}");
    groups.concat()
}

/// Presses the application's button, and arrives at the first page of the login.
async fn start(browser: &Chromium, demo: &Demo) {
    browser.open(demo.address("application")).await;
    browser.submit().await;
    assert_eq!(browser.step().await, "identify");
    assert!(browser.address().await.starts_with(demo.address("issuer")));
}

async fn identify(browser: &Chromium, demo: &Demo, username: &str) {
    for field in ["tenant", "username", "password"] {
        browser.fill(field, demo.person(username)[field].as_str().unwrap()).await;
    }
    browser.submit().await;
}

async fn give_code(browser: &Chromium, code: &str) {
    browser.fill("code", code).await;
    browser.submit().await;
}

async fn store_recovery_codes(browser: &Chromium) {
    assert_eq!(browser.step().await, "recovery_codes");
    assert_eq!(browser.texts(".codes li").await.len(), 10);
    browser.click("[name=stored]").await;
    browser.submit().await;
}

/// Is the application greeting this user?
async fn is_greeted(browser: &Chromium, demo: &Demo, name: &str) {
    assert_eq!(browser.text("h1").await, format!("Hello, {name}"));
    assert!(browser.address().await.starts_with(demo.address("application")));
}

/// Looks at the page on a telephone in the dark and on a desk in the light; it must be good to use on both.
async fn look(browser: &Chromium, habits: Habits, page: &str) {
    let name = format!("story-{}/{page}", if habits.javascript { "with-scripts" } else { "without-scripts" });
    for (width, scheme) in [(320, "dark"), (1280, "light")] {
        assert_eq!(browser.look(width, scheme, &name).await, Vec::<String>::new(), "{page} {width} {scheme}");
    }
}

async fn an_administrators_story(habits: Habits) {
    let demo = Demo::start();
    browse(habits, async |browser| {
        browser.open(demo.address("application")).await;
        look(browser, habits, "1-application").await;
        start(browser, &demo).await;
        look(browser, habits, "2-identify").await;
        browser.fill("tenant", "123456.sms").await;
        browser.fill("username", ANNA).await;
        browser.fill("password", "not the password").await;
        browser.submit().await;
        assert_eq!(browser.step().await, "identify");
        assert!(browser.has("[role=alert]").await);
        assert_eq!(browser.value("tenant").await, "123456.sms");
        assert_eq!(browser.value("username").await, ANNA);
        assert_eq!(browser.value("password").await, "");
        look(browser, habits, "3-failed").await;

        identify(browser, &demo, ANNA).await;
        assert_eq!(browser.step().await, "enrol");
        look(browser, habits, "4-enrol").await;
        let secret = secret(browser).await;
        give_code(browser, "000 000").await;
        assert_eq!(browser.step().await, "enrol");
        assert!(browser.has("[name=code][aria-invalid=true]").await);
        look(browser, habits, "5-wrong-code").await;
        give_code(browser, &code(&secret, 0)).await;
        look(browser, habits, "6-recovery-codes").await;
        store_recovery_codes(browser).await;
        is_greeted(browser, &demo, "Anna Arndt").await;
        let claims = browser.text("#claims").await;
        for claim in ["123456.sms", "urn:vestibule:acr:2fa", "mfa"] {
            assert!(claims.contains(claim), "{claim} is missing: {claims}");
        }
        look(browser, habits, "7-signed-in").await;

        browser.submit().await;
        look(browser, habits, "8-signed-out").await;
        start(browser, &demo).await;
        identify(browser, &demo, ANNA).await;
        assert_eq!(browser.step().await, "second_factor");
        look(browser, habits, "9-second-factor").await;
        give_code(browser, &code(&secret, 1)).await;
        is_greeted(browser, &demo, "Anna Arndt").await;
        assert_eq!(browser.complaints().await, Vec::<String>::new());
    })
    .await;
}

#[tokio::test]
async fn an_administrator_enrols_signs_in_and_out_and_in_again() {
    an_administrators_story(Habits::default()).await;
}

#[tokio::test]
async fn all_of_it_works_without_scripts() {
    an_administrators_story(Habits { javascript: false, ..Habits::default() }).await;
}

#[tokio::test]
async fn going_back_and_reloading_is_safe() {
    let demo = Demo::start();
    browse(Habits::default(), async |browser| {
        start(browser, &demo).await;
        browser.reload().await;
        identify(browser, &demo, ANNA).await;
        let shown = secret(browser).await;
        browser.reload().await;
        assert_eq!(secret(browser).await, shown);
        // The browser may keep the page it had; the provider knows better.
        browser.back().await;
        browser.reload().await;
        assert_eq!(browser.step().await, "enrol", "the password page is passed");
        assert_eq!(secret(browser).await, shown);
        give_code(browser, &code(&shown, 0)).await;
        let codes = browser.texts(".codes li").await;
        browser.reload().await;
        assert_eq!(browser.texts(".codes li").await, codes);
        store_recovery_codes(browser).await;
        is_greeted(browser, &demo, "Anna Arndt").await;
        // The login is over; its pages say so, and offer the way to the application.
        browser.back().await;
        browser.reload().await;
        assert_eq!(browser.step().await, "expired");
        browser.follow("main a").await;
        is_greeted(browser, &demo, "Anna Arndt").await;
    })
    .await;
}

#[tokio::test]
async fn what_is_finished_in_one_tab_is_finished_in_the_other() {
    let demo = Demo::start();
    browse(Habits::default(), async |browser| {
        start(browser, &demo).await;
        let first = browser.new_tab().await;
        start(browser, &demo).await;
        identify(browser, &demo, BEN).await;
        is_greeted(browser, &demo, "Ben Berger").await;
        // Whatever is typed in the first tab, its application gets its answer for who is signed in.
        browser.switch_to(first).await;
        identify(browser, &demo, BEN).await;
        is_greeted(browser, &demo, "Ben Berger").await;
    })
    .await;
}

#[tokio::test]
async fn one_login_open_in_two_tabs_goes_on_in_both() {
    let demo = Demo::start();
    browse(Habits::default(), async |browser| {
        start(browser, &demo).await;
        let address = browser.address().await;
        let first = browser.new_tab().await;
        browser.open(&address).await;
        identify(browser, &demo, CARLA).await;
        assert_eq!(browser.step().await, "second_factor");
        let second = browser.switch_to(first).await;
        identify(browser, &demo, CARLA).await;
        assert_eq!(
            browser.step().await,
            "second_factor",
            "a form of an earlier step leads to the present one"
        );
        let secret = demo.person(CARLA)["totp_secret"].as_str().unwrap();
        give_code(browser, &code(secret, 0)).await;
        is_greeted(browser, &demo, "Carla Conrad").await;
        browser.switch_to(second).await;
        give_code(browser, &code(secret, 1)).await;
        assert_eq!(browser.step().await, "expired");
    })
    .await;
}

#[tokio::test]
async fn the_language_is_the_browsers_until_the_user_chooses() {
    let demo = Demo::start();
    browse(Habits { language: "fr-CH", ..Habits::default() }, async |browser| {
        let language = async || browser.script("return document.documentElement.lang", vec![]).await;
        start(browser, &demo).await;
        assert_eq!(language().await, "fr");
        browser.follow("footer a[lang=de]").await;
        assert_eq!((language().await, browser.step().await), (json!("de"), "identify".to_owned()));
        // Carla's own language is English; what was chosen in this browser counts more.
        identify(browser, &demo, CARLA).await;
        assert_eq!((language().await, browser.step().await), (json!("de"), "second_factor".to_owned()));
    })
    .await;
}

#[tokio::test]
async fn the_keyboard_alone_is_enough() {
    let demo = Demo::start();
    browse(Habits::default(), async |browser| {
        browser.open(demo.address("application")).await;
        browser.tab_to("main button").await;
        browser.leave(async || browser.press(Key::Enter).await).await;
        for field in ["tenant", "username", "password"] {
            browser.tab_to(&format!("[name={field}]")).await;
            browser.press(demo.person(ANNA)[field].as_str().unwrap()).await;
        }
        browser.leave(async || browser.press(Key::Enter).await).await;
        let secret = secret(browser).await;
        browser.tab_to("[name=code]").await;
        browser.press(code(&secret, 0)).await;
        browser.leave(async || browser.press(Key::Enter).await).await;
        browser.tab_to("[name=stored]").await;
        browser.press(" ").await;
        browser.tab_to("main form > button").await;
        browser.leave(async || browser.press(Key::Enter).await).await;
        is_greeted(browser, &demo, "Anna Arndt").await;
    })
    .await;
}
