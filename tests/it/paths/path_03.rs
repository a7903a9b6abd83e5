//! Path 3: a new user skips the office computer and enrols a telephone.

use serde_json::json;
use vestibule::domain::issuer::IssuerUrl;
use vestibule::domain::message::Channel;
use vestibule::domain::settings::Settings;
use vestibule::testing::TestIdp;

use crate::login::{DOMAIN, HOUSE, PASSWORD, enter};
use crate::support::chromium::{Habits, browse};
use crate::support::{listen, serve};

fn world() -> String {
    let named = "name = \"Example Works\"\n";
    let policy = "[tenants.policy]\nmfa = \"required\"\nask_desktop_name = true\nmethods = [\"totp\", \"sms\", \"mail\"]\n";
    HOUSE.replacen(named, &format!("{named}{policy}"), 1)
}

/// The code in the text that was sent last.
async fn texted(idp: &TestIdp) -> String {
    let sent = idp.mailbox().await;
    let text = sent.iter().rev().find(|message| message.channel == Channel::Sms).expect("a text");
    text.code().expect("a code").to_owned()
}

#[tokio::test]
async fn over_http() {
    let idp = TestIdp::with(&world()).await;
    let shop = idp.application("shop", "https://shop.test/callback");
    let mut browser = idp.browser();
    let desktop = enter(&mut browser, &shop, "bert").await;
    assert_eq!(desktop.step(), Some("desktop"));
    let choose = browser.submit(&desktop, &[("skip", "yes")]).await;
    assert_eq!(choose.step(), Some("choose_method"));
    let phone = browser.submit(&choose, &[("method", "sms")]).await;
    assert_eq!(phone.step(), Some("phone"));
    let number = [("country", "DE"), ("phone_number", "0151 12345678")];
    let confirm = browser.submit(&phone, &number).await;
    assert_eq!(confirm.step(), Some("confirm_code"));
    let codes = browser.submit(&confirm, &[("code", &texted(&idp).await)]).await;
    assert_eq!(codes.step(), Some("recovery_codes"));
    let back = browser.submit(&codes, &[("stored", "yes")]).await;
    let token = shop.redeem(&back).await.id_token;
    assert_eq!(token["amr"], json!(["pwd", "sms", "mfa", "mca"]));
    assert_eq!(token["acr"], "urn:vestibule:acr:2fa");
}

/// The same in a real browser, where a new code has no button before its time; and the login after it.
#[tokio::test]
async fn in_a_real_browser() {
    let (listener, address) = listen().await;
    let settings = Settings::new(IssuerUrl::parse(&address).unwrap());
    // The application lives beside the provider: a page that is not there, and that the browser can show.
    let redirect = format!("{address}/landed");
    let idp =
        TestIdp::with_settings(settings, &world().replace("https://shop.test/callback", &redirect)).await;
    let shop = idp.application("shop", &redirect);
    serve(listener, idp.router());
    browse(Habits::default(), async |browser| {
        browser.open(&shop.authorization_url("openid")).await;
        for (field, value) in [("tenant", DOMAIN), ("username", "bert"), ("password", PASSWORD)] {
            browser.fill(field, value).await;
        }
        browser.submit().await;
        browser.follow("[name=skip]").await;
        browser.click("[value=sms]").await;
        browser.submit().await;
        assert_eq!(browser.step().await, "phone");
        browser.fill("phone_number", "0151 12345678").await;
        browser.submit().await;
        assert_eq!(browser.step().await, "confirm_code");
        assert!(browser.text(".lead").await.contains("+49 •••78"));
        let hidden =
            browser.script("return document.querySelector('[name=resend]').hidden", Vec::new()).await;
        assert_eq!(hidden, json!(true));
        browser.fill("code", &texted(&idp).await).await;
        browser.submit().await;
        assert_eq!(browser.step().await, "recovery_codes");
        assert_eq!(browser.complaints().await, Vec::<String>::new());
        browser.click("[name=stored]").await;
        browser.submit().await;
        assert!(browser.address().await.starts_with(&format!("{redirect}?code=")));

        idp.clock().advance(std::time::Duration::from_hours(24));
        browser.open(&shop.authorization_url("openid")).await;
        for (field, value) in [("tenant", DOMAIN), ("username", "bert"), ("password", PASSWORD)] {
            browser.fill(field, value).await;
        }
        browser.submit().await;
        assert_eq!(browser.step().await, "second_factor", "{}", browser.address().await);
        browser.fill("code", &texted(&idp).await).await;
        browser.submit().await;
        assert!(browser.address().await.starts_with(&format!("{redirect}?code=")));
    })
    .await;
}
