//! Path 7: an administrator without a second factor, from the second on in which the duty begins; activation by mail.

use std::time::Duration;

use serde_json::json;
use vestibule::domain::issuer::IssuerUrl;
use vestibule::domain::settings::Settings;
use vestibule::ext::Clock;
use vestibule::testing::{TestIdp, totp};

use crate::login::{DOMAIN, PASSWORD, enter, shown_codes, shown_secret, sign_in};
use crate::recovery::activation::{before_the_date, works, world};
use crate::recovery::{choose, links, subjects};
use crate::support::chromium::{Chromium, Habits, browse};
use crate::support::{listen, serve};

const NEW: &str = "the stapler of a second horse";

#[tokio::test]
async fn from_the_date_on_a_mail_leads_to_a_new_password_and_a_second_factor() {
    let (idp, shop) = works("mail").await;
    idp.clock().advance(before_the_date() + Duration::from_secs(1));
    let mut browser = idp.browser();
    let blocked = enter(&mut browser, &shop, "anna").await;
    assert_eq!(blocked.step(), Some("blocked"), "{}", blocked.body);
    assert!(blocked.body.contains("a•••@example.test") && !blocked.body.contains("anna@example.test"));
    let sent = browser.submit(&blocked, &[]).await;
    assert_eq!(sent.step(), Some("blocked"));
    assert!(sent.body.contains("on its way to a•••@example.test"), "{}", sent.body);
    browser.submit(&sent, &[]).await;
    let links = links(&idp).await;
    assert_eq!(links.len(), 1, "within a minute one mail is sent");
    assert_eq!(subjects(&idp).await, ["Your account at Example Works"]);

    // The link is opened elsewhere.
    let mut phone = idp.browser();
    let page = phone.get(&links[0]).await;
    assert_eq!(page.step(), Some("new_password"));
    let short = choose(&mut phone, &page, "xK7#q!zP2mv").await;
    assert!(short.body.contains("at least 12 characters"), "{}", short.body);
    let qr = choose(&mut phone, &short, NEW).await;
    assert_eq!(qr.step(), Some("enrol"), "{}", qr.body);
    assert!(!qr.body.contains("name=\"skip\""), "an administrator cannot skip");
    let secret = shown_secret(&qr);
    let wrong = phone.submit(&qr, &[("code", "000000")]).await;
    assert_eq!((wrong.step(), shown_secret(&wrong)), (Some("enrol"), secret.clone()));
    let codes = phone.submit(&wrong, &[("code", &totp(&secret, idp.clock().now()))]).await;
    assert_eq!((codes.step(), shown_codes(&codes).len()), (Some("recovery_codes"), 10));
    let again = phone.get(codes.url.as_str()).await;
    assert_eq!(shown_codes(&again), shown_codes(&codes));
    assert_eq!(phone.submit(&again, &[]).await.step(), Some("recovery_codes"), "they must be stored");
    let done = phone.submit(&again, &[("stored", "yes")]).await;
    assert_eq!(done.step(), Some("reset_done"), "{}", done.body);
    assert!(!phone.get(codes.url.as_str()).await.body.contains("class=\"codes\""), "and are not shown again");
    let silent = phone.get(&shop.authorization_url_with("openid", &[("prompt", "none")])).await;
    assert_eq!(silent.parameter("error").as_deref(), Some("login_required"), "nobody is signed in by it");

    // The login that waited goes on.
    let identify = browser.get(sent.url.as_str()).await;
    assert_eq!(
        identify.step(),
        Some("identify"),
        "the password that was proved is not the password any more"
    );
    let refused = sign_in(&mut browser, &identify, "anna", PASSWORD).await;
    assert_eq!(refused.step(), Some("identify"));
    let otp = sign_in(&mut browser, &refused, "anna", NEW).await;
    assert_eq!(otp.step(), Some("second_factor"));
    let replayed = browser.submit(&otp, &[("code", &totp(&secret, idp.clock().now()))]).await;
    assert_eq!(replayed.step(), Some("second_factor"), "the code that confirmed is used up");
    idp.clock().advance(Duration::from_secs(30));
    let back = browser.submit(&replayed, &[("code", &totp(&secret, idp.clock().now()))]).await;
    let tokens = shop.redeem(&back).await;
    assert_eq!(tokens.id_token["acr"], "urn:vestibule:acr:2fa");
    assert_eq!(tokens.id_token["amr"], json!(["pwd", "otp", "mfa"]));
    let subjects = subjects(&idp).await;
    let tail: Vec<_> = subjects.iter().skip(1).map(String::as_str).collect();
    assert_eq!(
        tail,
        ["Example Works: your password was changed", "Example Works: a second factor was added"]
    );
}

/// The same in a real browser, with one mailbox, one telephone and the texts of a German.
#[tokio::test]
async fn in_a_real_browser() {
    let (listener, address) = listen().await;
    let settings = Settings::new(IssuerUrl::parse(&address).unwrap());
    // The application lives beside the provider: a page that is not there, and that the browser can show.
    let redirect = format!("{address}/landed");
    let world = world("mail").replace("https://shop.test/callback", &redirect);
    let idp = TestIdp::with_settings(settings, &world).await;
    let shop = idp.application("shop", &redirect);
    serve(listener, idp.router());
    idp.clock().advance(before_the_date() + Duration::from_secs(1));
    browse(Habits { language: "de", ..Habits::default() }, async |browser| {
        browser.open(&shop.authorization_url("openid")).await;
        for (field, value) in [("tenant", DOMAIN), ("username", "anna"), ("password", PASSWORD)] {
            browser.fill(field, value).await;
        }
        browser.submit().await;
        assert_eq!(browser.step().await, "blocked");
        look(browser, "1-blocked").await;
        browser.submit().await;
        look(browser, "2-on-its-way").await;
        let waiting = browser.address().await;
        browser.open(&links(&idp).await[0]).await;
        assert_eq!(browser.step().await, "new_password");
        assert!(!browser.address().await.contains("link"), "the secret has left the address");
        look(browser, "3-new-password").await;
        browser.fill("new_password", NEW).await;
        browser.fill("new_password_again", "something else").await;
        browser.submit().await;
        look(browser, "4-different").await;
        for field in ["new_password", "new_password_again"] {
            browser.fill(field, NEW).await;
        }
        browser.submit().await;
        assert_eq!(browser.step().await, "enrol");
        look(browser, "5-enrol").await;
        let secret = browser.text(".key code").await.split_whitespace().collect::<String>();
        browser.fill("code", &totp(&secret, idp.clock().now())).await;
        browser.submit().await;
        assert_eq!(browser.step().await, "recovery_codes");
        browser.click("[name=stored]").await;
        browser.submit().await;
        assert_eq!(browser.step().await, "reset_done");
        look(browser, "6-done").await;
        browser.follow("a.button").await;
        assert_eq!(browser.step().await, "identify", "the login that waits: {waiting}");
        for (field, value) in [("tenant", DOMAIN), ("username", "anna"), ("password", NEW)] {
            browser.fill(field, value).await;
        }
        browser.submit().await;
        assert_eq!(browser.step().await, "second_factor");
        idp.clock().advance(Duration::from_secs(30));
        browser.fill("code", &totp(&secret, idp.clock().now())).await;
        browser.submit().await;
        assert!(
            browser.address().await.starts_with(&format!("{redirect}?code=")),
            "{}",
            browser.address().await
        );
    })
    .await;
}

async fn look(browser: &Chromium, page: &str) {
    for (width, scheme) in [(320, "dark"), (1280, "light")] {
        let faults = browser.look(width, scheme, &format!("path-07/{page}")).await;
        assert_eq!(faults, Vec::<String>::new(), "{page} {width} {scheme}");
    }
}
