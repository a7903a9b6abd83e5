//! Administrators whose second factor is activated by mail, and what stops at the date.

use std::time::Duration;

use vestibule::domain::event::Event;
use vestibule::ext::Clock;
use vestibule::testing::{Answer, Application, Browser, TestIdp, totp};

use super::{NEW, choose, link, links};
use crate::login::{DOMAIN, HOUSE, enter, error, open, shown_secret, sign_in};

/// 2026-03-02 13:00:00 UTC is an hour after the clock starts. Anna administers; she has an address and no
/// authenticator.
pub(crate) async fn works(activation: &str) -> (TestIdp, Application) {
    let idp = TestIdp::with(&world(activation)).await;
    let shop = idp.application("shop", "https://shop.test/callback");
    (idp, shop)
}

pub(crate) fn world(activation: &str) -> String {
    let policy = format!(
        "[tenants.policy]\nadmin_mfa_enforced_from = \"2026-03-02T13:00:00Z\"\nadmin_activation = \"{activation}\"\n"
    );
    let named = "name = \"Example Works\"\n";
    let house = HOUSE.replacen(named, &format!("{named}{policy}"), 1);
    let refreshing = "redirect_uris = [\"https://shop.test/callback\"]\ngrant_types = [\"authorization_code\", \"refresh_token\"]\n";
    let house = house.replacen("redirect_uris = [\"https://shop.test/callback\"]\n", refreshing, 1);
    house.replacen("username = \"anna\"\n", "username = \"anna\"\nemail = \"anna@example.test\"\n", 1)
}

/// From the start of the clock to one second before the date.
pub(crate) const fn before_the_date() -> Duration {
    Duration::from_secs(3599)
}

async fn refresh(shop: &Application, token: &str) -> Answer {
    shop.token_with(&[("grant_type", "refresh_token"), ("refresh_token", token)]).await
}

/// Sessions and refresh tokens of administrators without a second factor stop in the very second.
#[tokio::test]
async fn what_an_administrator_has_without_a_second_factor_stops_at_the_date() {
    let (idp, shop) = works("mail").await;
    idp.clock().advance(Duration::from_secs(2999));
    let mut browser = idp.browser();
    let banner = enter(&mut browser, &shop, "anna").await;
    let back = browser.submit(&banner, &[("skip", "yes")]).await;
    let tokens = shop.redeem(&back).await;
    let token = tokens.response["refresh_token"].as_str().unwrap_or_default().to_owned();
    assert!(!token.is_empty(), "{}", tokens.response);
    idp.clock().advance(Duration::from_mins(10));
    let silent = [("prompt", "none")];
    assert_eq!(error(&open(&mut browser, &shop, &silent).await), None, "at T-1 s the session is good");
    let refreshed = refresh(&shop, &token).await;
    assert_eq!(refreshed.status.as_u16(), 200, "and the refresh token: {}", refreshed.body);
    let token = refreshed.json()["refresh_token"].as_str().unwrap().to_owned();

    idp.clock().advance(Duration::from_secs(1));
    let stopped = open(&mut browser, &shop, &silent).await;
    assert_eq!(error(&stopped).as_deref(), Some("interaction_required"));
    assert_eq!(open(&mut browser, &shop, &[]).await.step(), Some("blocked"));
    let stopped = refresh(&shop, &token).await;
    assert_eq!((stopped.status.as_u16(), stopped.json()["error"].as_str()), (400, Some("invalid_grant")));
    let info = shop.userinfo(refreshed.json()["access_token"].as_str().unwrap()).await;
    assert_eq!(info.status.as_u16(), 401, "the grant has ended with it");
    assert!(!idp.events().all().iter().any(|event| matches!(event, Event::RefreshTokenReused { .. })));
    let page = open(&mut idp.browser(), &shop, &[]).await;
    let wrong = sign_in(&mut idp.browser(), &page, "anna", "wrong").await;
    assert_ne!(wrong.step(), Some("blocked"), "who does not know the password does not learn of it");
}

#[tokio::test]
async fn before_the_date_the_mail_is_an_offer() {
    let (idp, shop) = works("mail").await;
    let mut browser = idp.browser();
    let banner = enter(&mut browser, &shop, "anna").await;
    let offer = browser.submit(&banner, &[("enable", "yes")]).await;
    assert_eq!(offer.step(), Some("blocked"), "{}", offer.body);
    let back = browser.submit(&offer, &[("skip", "yes")]).await;
    assert!(back.parameter("code").is_some(), "it may still be put off: {}", back.body);
    assert!(links(&idp).await.is_empty());
}

#[tokio::test]
async fn without_an_address_an_administrator_must_help() {
    let (idp, shop) = works("mail").await;
    let without = format!("[[users]]\ntenant = \"{DOMAIN}\"\nusername = \"anna\"\nemail = \"\"\n");
    idp.idp().apply(&without).await.unwrap();
    idp.clock().advance(before_the_date() + Duration::from_secs(1));
    let refused = enter(&mut idp.browser(), &shop, "anna").await;
    assert_eq!((refused.status.as_u16(), refused.step()), (403, Some("refused")), "{}", refused.body);
}

/// The password alone enrols nothing, at any URL of the login.
#[tokio::test]
async fn the_password_alone_reaches_no_secret() {
    let (idp, shop) = works("mail").await;
    idp.clock().advance(before_the_date() + Duration::from_secs(1));
    let mut browser = idp.browser();
    let blocked = enter(&mut browser, &shop, "anna").await;
    for step in ["enrol", "choose_method", "recovery_codes", "consent", "new_password"] {
        let url = blocked.url.as_str().replace("/blocked", &format!("/{step}"));
        assert_eq!(browser.get(&url).await.step(), Some("blocked"), "{step}");
        let fields = [("method", "totp"), ("skip", "yes"), ("stored", "yes")];
        assert_eq!(browser.post(&url, &fields).await.step(), Some("blocked"), "{step}");
    }
    let skipped = browser.submit(&blocked, &[("enable", ""), ("skip", "yes")]).await;
    assert_eq!(skipped.step(), Some("blocked"), "there is nothing to skip");
}

/// An administrator whose duty has begun, after a new password by the link of a mail.
async fn new_password_by_link() -> (TestIdp, Browser, Answer) {
    let (idp, _) = works("inline").await;
    idp.clock().advance(before_the_date() + Duration::from_secs(1));
    let link = link(&idp, "anna").await;
    let mut browser = idp.browser();
    let page = browser.get(&link).await;
    let next = choose(&mut browser, &page, NEW).await;
    (idp, browser, next)
}

/// A forgotten password activates an administrator too, so that the link does not lead to a blocked login.
#[tokio::test]
async fn a_forgotten_password_activates_too() {
    let (idp, mut browser, qr) = new_password_by_link().await;
    assert_eq!(qr.step(), Some("enrol"));
    let secret = shown_secret(&qr);
    for _ in 0..9 {
        assert_eq!(browser.submit(&qr, &[("code", "000000")]).await.step(), Some("enrol"));
    }
    let void = browser.submit(&qr, &[("code", "000000")]).await;
    let renewed = shown_secret(&void);
    assert_ne!(renewed, secret, "ten wrong codes void the secret");
    let late = browser.submit(&void, &[("code", &totp(&secret, idp.clock().now()))]).await;
    assert_eq!(late.step(), Some("enrol"));
    let codes = browser.submit(&late, &[("code", &totp(&renewed, idp.clock().now()))]).await;
    assert_eq!(codes.step(), Some("recovery_codes"), "{}", codes.body);
}

/// A reset waits with its new password while the user enrols in a login: the reset replaces nothing, because it was
/// reached by the mailbox alone.
#[tokio::test]
async fn what_was_enrolled_in_a_login_since_is_not_replaced_by_a_reset() {
    let (idp, shop) = works("inline").await;
    idp.clock().advance(before_the_date() + Duration::from_secs(1));
    let mut reader = idp.browser();
    let page = reader.get(&link(&idp, "anna").await).await;
    let waiting = choose(&mut reader, &page, NEW).await;
    assert_eq!(waiting.step(), Some("enrol"));

    let mut browser = idp.browser();
    let page = open(&mut browser, &shop, &[]).await;
    let page = sign_in(&mut browser, &page, "anna", NEW).await;
    let secret = shown_secret(&page);
    let page = browser.submit(&page, &[("code", &totp(&secret, idp.clock().now()))]).await;
    let back = browser.submit(&page, &[("stored", "yes")]).await;
    assert!(back.parameter("code").is_some(), "{}", back.body);

    let code = totp(&shown_secret(&waiting), idp.clock().now());
    assert_eq!(reader.submit(&waiting, &[("code", &code)]).await.step(), Some("reset_done"));
    assert_eq!(
        reader.get(waiting.url.as_str()).await.step(),
        Some("reset_done"),
        "and there is no other secret"
    );
    idp.clock().advance(Duration::from_secs(30));
    let mut browser = idp.browser();
    let page = open(&mut browser, &shop, &[]).await;
    let page = sign_in(&mut browser, &page, "anna", NEW).await;
    let back = browser.submit(&page, &[("code", &totp(&secret, idp.clock().now()))]).await;
    assert!(back.parameter("code").is_some(), "{}", back.body);
}

/// The password that was set by the link counts for an enrolment as long as one that was typed in a login.
#[tokio::test]
async fn a_new_password_enrols_for_five_minutes() {
    let (idp, mut browser, qr) = new_password_by_link().await;
    idp.clock().advance(Duration::from_mins(5));
    assert_eq!(browser.get(qr.url.as_str()).await.step(), Some("enrol"));
    idp.clock().advance(Duration::from_secs(1));
    let late = browser.submit(&qr, &[("code", &totp(&shown_secret(&qr), idp.clock().now()))]).await;
    assert_eq!(late.step(), Some("reset_done"), "{}", late.body);
}
