//! Passkeys in a real Chromium, whose authenticators are virtual ones: the page's script, the browser's own checks of
//! origin and host name, and our answers to all of it.

use serde_json::json;
use vestibule::domain::issuer::IssuerUrl;
use vestibule::domain::settings::Settings;
use vestibule::testing::{Application, TestIdp};

use crate::support::chromium::{Chromium, Habits, browse};
use crate::support::{listen, serve};

const WORLD: &str = r#"
    [[tenants]]
    domain = "one.test"
    name = "Example Works"
    [tenants.policy]
    mfa = "required"
    methods = ["totp", "passkey"]
    passkey_sign_in = true
    [[users]]
    tenant = "one.test"
    username = "anna"
    name = "Anna Arndt"
    password = "correct horse battery staple"
    roles = ["admin"]
    [[clients]]
    client_id = "shop"
    client_name = "Shop"
    token_endpoint_auth_method = "none"
    redirect_uris = ["http://localhost:9/callback"]
"#;

/// A provider at an address of this machine that has a name, since passkeys need one.
async fn provider() -> (TestIdp, Application) {
    let (listener, address) = listen().await;
    let issuer = IssuerUrl::parse(&address.replace("127.0.0.1", "localhost")).unwrap();
    let idp = TestIdp::with_settings(Settings::new(issuer.clone()), WORLD).await;
    serve(listener, idp.router());
    let shop = Application::new(&idp, issuer.as_str(), "shop", "http://localhost:9/callback");
    (idp, shop)
}

async fn identify(browser: &Chromium, shop: &Application) {
    browser.open(&shop.authorization_url("openid")).await;
    assert_eq!(browser.step().await, "identify");
    for (field, value) in
        [("tenant", "one.test"), ("username", "anna"), ("password", "correct horse battery staple")]
    {
        browser.fill(field, value).await;
    }
    browser.submit().await;
}

/// Chooses a passkey, has the browser make it, and stores the recovery codes.
async fn enrol(browser: &Chromium) {
    assert_eq!(browser.step().await, "choose_method");
    browser.click("[value=passkey]").await;
    browser.submit().await;
    assert_eq!(browser.step().await, "enrol_passkey");
    look(browser, "enrol").await;
    browser.submit().await;
    assert_eq!(browser.step().await, "recovery_codes");
    store_codes(browser).await;
}

/// The device has a passkey for anna, and no user is signed in.
async fn has_passkey(browser: &Chromium, shop: &Application) {
    let device = json!({ "transport": "internal", "hasResidentKey": true, "hasUserVerification": true });
    browser.plug_in(device).await;
    identify(browser, shop).await;
    enrol(browser).await;
    browser.forget_cookies().await;
}

async fn store_codes(browser: &Chromium) {
    browser.click("[name=stored]").await;
    arrive(browser, async || browser.click("main form > button").await).await;
}

/// Completes the login: the browser is back at the application's address, where no server listens.
async fn arrive(browser: &Chromium, act: impl AsyncFnOnce()) {
    browser.leave(act).await;
    let address = browser.address().await;
    assert!(address.starts_with("http://localhost:9/callback?code="), "{address}");
}

async fn look(browser: &Chromium, page: &str) {
    for (width, scheme) in [(320, "dark"), (1280, "light")] {
        let name = format!("passkeys/{page}");
        assert_eq!(browser.look(width, scheme, &name).await, Vec::<String>::new(), "{page} {width} {scheme}");
    }
}

#[tokio::test]
async fn a_passkey_is_enrolled_used_and_signs_in_without_a_name() {
    let (_idp, shop) = provider().await;
    browse(Habits::default(), async |browser| {
        has_passkey(browser, &shop).await;

        // The name field offers the passkey each time, and the user does not take it there.
        browser.answer_authenticator(false).await;
        identify(browser, &shop).await;
        assert_eq!(browser.step().await, "passkey");
        look(browser, "second-factor").await;
        browser.answer_authenticator(true).await;
        arrive(browser, async || browser.click("main form > button").await).await;
        browser.forget_cookies().await;

        browser.answer_authenticator(false).await;
        browser.open(&shop.authorization_url("openid")).await;
        look(browser, "identify").await;
        browser.answer_authenticator(true).await;
        arrive(browser, async || browser.click("form[data-offer] button").await).await;
        assert_eq!(browser.complaints().await, Vec::<String>::new());
    })
    .await;
}

/// The browser offers the passkey in the name field by itself.
#[tokio::test]
async fn the_name_field_offers_the_passkey() {
    let (_idp, shop) = provider().await;
    browse(Habits::default(), async |browser| {
        has_passkey(browser, &shop).await;
        // With its user present, the virtual authenticator answers as soon as it is asked.
        browser.open(&shop.authorization_url("openid")).await;
        browser.wait_for_address("http://localhost:9/callback?code=").await;
    })
    .await;
}

#[tokio::test]
async fn what_the_browser_cannot_do_is_said_in_words() {
    let (_idp, shop) = provider().await;
    browse(Habits::default(), async |browser| {
        let refusing =
            json!({ "transport": "internal", "hasUserVerification": true, "isUserVerified": false });
        browser.plug_in(refusing).await;
        identify(browser, &shop).await;
        browser.click("[value=passkey]").await;
        browser.submit().await;
        browser.click("main form > button").await;
        browser.wait_for_text("[role=alert]", "The passkey was not used").await;
        look(browser, "cancelled").await;
        browser.unplug().await;
        browser.plug_in(json!({ "transport": "usb" })).await;
        browser.submit().await;
        assert_eq!(browser.step().await, "recovery_codes", "trying again is enough");
        store_codes(browser).await;
        browser.forget_cookies().await;

        // A security key without user verification and without stored user: only a second factor.
        identify(browser, &shop).await;
        assert_eq!(browser.step().await, "passkey");
        arrive(browser, async || browser.click("main form > button").await).await;
    })
    .await;
}

#[tokio::test]
async fn without_scripts_another_way_is_offered() {
    let (_idp, shop) = provider().await;
    browse(Habits { javascript: false, ..Habits::default() }, async |browser| {
        browser.open(&shop.authorization_url("openid")).await;
        assert!(!browser.is_seen("form[data-offer]").await);
        identify(browser, &shop).await;
        browser.click("[value=passkey]").await;
        browser.submit().await;
        assert_eq!(browser.step().await, "enrol_passkey");
        assert!(browser.text("main").await.contains("Passkeys need JavaScript"));
        browser.submit().await;
        assert!(browser.text("main").await.contains("Switch it on and try again"));
        browser.follow("[name=another]").await;
        assert_eq!(browser.step().await, "choose_method");
    })
    .await;
}
