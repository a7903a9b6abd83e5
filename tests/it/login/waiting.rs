//! Unanswered login requests: their cost, and their limits.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use sqlx::{Connection, SqliteConnection};
use vestibule::testing::{Answer, Application, Browser, TestIdp};

use super::{HOUSE, PASSWORD, enter, house, open, sign_in};

const OFFICE: &str = "192.0.2.7:1";

/// A browser in this network.
fn behind(idp: &TestIdp, address: &str) -> Browser {
    idp.browser().from_address(address.parse().unwrap())
}

/// Sends a request without opening its page.
async fn ask(browser: &mut Browser, shop: &Application) -> Answer {
    browser.send(Method::GET, &shop.authorization_url("openid"), &[], None).await
}

/// Opens the login of an application with these parameters in place of its own.
async fn open_with(browser: &mut Browser, shop: &Application, parameters: &[(&str, &str)]) -> Answer {
    let mut url = url::Url::parse(&shop.authorization_url("openid")).unwrap();
    let is_kept = |name: &str| parameters.iter().all(|(replaced, _)| *replaced != name);
    let kept: Vec<_> = url.query_pairs().into_owned().filter(|(name, _)| is_kept(name)).collect();
    url.query_pairs_mut().clear().extend_pairs(kept).extend_pairs(parameters);
    browser.get(url.as_str()).await
}

/// Fills a network with unanswered requests; returns the browser of the last.
async fn fill(idp: &TestIdp, shop: &Application, address: &str) -> Browser {
    for n in 0..499 {
        assert_eq!(ask(&mut behind(idp, address), shop).await.status, StatusCode::SEE_OTHER, "{n}");
    }
    let mut last = behind(idp, address);
    assert_eq!(open(&mut last, shop, &[]).await.step(), Some("identify"));
    last
}

/// A page that says to wait, and leads nowhere.
fn is_refused(answer: &Answer) -> bool {
    assert_eq!(answer.redirect(), None);
    answer.status == StatusCode::TOO_MANY_REQUESTS
        && answer.step() == Some("refused")
        && answer.headers["retry-after"] == "60"
}

#[tokio::test]
async fn five_hundred_of_one_network_wait_and_no_more() {
    let (idp, shop) = house().await;
    let mut signed_in = behind(&idp, OFFICE);
    enter(&mut signed_in, &shop, "bert").await;
    let mut last = fill(&idp, &shop, OFFICE).await;
    let refused = ask(&mut behind(&idp, OFFICE), &shop).await;
    assert!(is_refused(&refused), "{} {}", refused.status, refused.body);
    assert!(refused.body.contains("Many sign-ins were started from your network"), "{}", refused.body);
    assert!(is_refused(&ask(&mut behind(&idp, "192.0.2.7:2"), &shop).await), "whatever the port");
    assert_eq!(ask(&mut behind(&idp, "192.0.2.8:1"), &shop).await.status, StatusCode::SEE_OTHER);
    let step_up = open(&mut signed_in, &shop, &[("prompt", "login")]).await;
    assert_eq!(step_up.step(), Some("identify"), "whose user is known does not count");
    let none = behind(&idp, OFFICE).get(&shop.authorization_url_with("openid", &[("prompt", "none")])).await;
    assert_eq!(
        none.parameter("error").as_deref(),
        Some("login_required"),
        "what is not stored does not either"
    );

    let page = open(&mut last, &shop, &[]).await;
    assert!(sign_in(&mut last, &page, "bert", PASSWORD).await.parameter("code").is_some());
    idp.clock().advance(Duration::from_secs(1));
    assert_eq!(ask(&mut behind(&idp, OFFICE), &shop).await.status, StatusCode::SEE_OTHER, "one was answered");
    assert!(is_refused(&ask(&mut behind(&idp, OFFICE), &shop).await));
    idp.clock().advance(Duration::from_mins(15));
    assert_eq!(ask(&mut behind(&idp, OFFICE), &shop).await.status, StatusCode::SEE_OTHER, "all are over");
}

#[tokio::test]
async fn a_household_of_ipv6_is_one_network() {
    let (idp, shop) = house().await;
    fill(&idp, &shop, "[2001:db8:1:2::7]:1").await;
    assert!(is_refused(&ask(&mut behind(&idp, "[2001:db8:1:2:ffff::1]:1"), &shop).await));
    assert_eq!(ask(&mut behind(&idp, "[2001:db8:1:3::7]:1"), &shop).await.status, StatusCode::SEE_OTHER);
}

/// A wrong password is no answer that makes room: it needs no account.
#[tokio::test]
async fn a_wrong_password_makes_no_room() {
    let (idp, shop) = house().await;
    let mut last = fill(&idp, &shop, OFFICE).await;
    let page = open(&mut last, &shop, &[]).await;
    assert_eq!(sign_in(&mut last, &page, "bert", "wrong").await.step(), Some("identify"));
    idp.clock().advance(Duration::from_secs(1));
    assert!(is_refused(&ask(&mut behind(&idp, OFFICE), &shop).await));
}

/// Who reloads the application does not shut themselves out.
#[tokio::test]
async fn a_browser_replaces_its_own_oldest() {
    let (idp, shop) = house().await;
    let mut own = behind(&idp, OFFICE);
    let mut pages = vec![open(&mut own, &shop, &[]).await];
    idp.clock().advance(Duration::from_secs(1));
    for _ in 0..499 {
        ask(&mut behind(&idp, OFFICE), &shop).await;
    }
    for _ in 0..3 {
        pages.push(open(&mut own, &shop, &[]).await);
        assert_eq!(pages.last().unwrap().step(), Some("identify"));
        idp.clock().advance(Duration::from_millis(100));
    }
    for page in &pages[..3] {
        assert_eq!(own.get(page.url.as_str()).await.status, StatusCode::GONE);
    }
    assert!(sign_in(&mut own, &pages[3], "bert", PASSWORD).await.parameter("code").is_some());
}

/// The page is no redirect, and what the client pushed is there when there is room again.
#[tokio::test]
async fn a_pushed_request_is_not_used_up_by_a_network_that_is_full() {
    let (idp, shop) = house().await;
    fill(&idp, &shop, OFFICE).await;
    let url = shop.pushed_url("openid", &[]).await;
    let mut browser = behind(&idp, OFFICE);
    for _ in 0..2 {
        assert!(is_refused(&browser.send(Method::GET, &url, &[], None).await));
    }
    let page = behind(&idp, "192.0.2.8:1").get(&url).await;
    assert_eq!(page.step(), Some("identify"), "{}", page.body);
}

#[tokio::test]
async fn a_posted_request_counts_too() {
    let (idp, shop) = house().await;
    fill(&idp, &shop, OFFICE).await;
    let url = url::Url::parse(&shop.authorization_url("openid")).unwrap();
    let fields: Vec<_> = url.query_pairs().into_owned().collect();
    let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let endpoint = url.as_str().split('?').next().unwrap();
    for _ in 0..2 {
        assert!(is_refused(&behind(&idp, OFFICE).post_once(endpoint, &fields).await));
    }
    let elsewhere = behind(&idp, "192.0.2.8:1").post_once(endpoint, &fields).await;
    assert_eq!(elsewhere.status, StatusCode::SEE_OTHER);
}

/// The largest row, where the store is a file of its own.
async fn largest_row(idp: &TestIdp) -> Option<i64> {
    let file = idp.folder().join("vestibule.db");
    if !file.exists() {
        return None;
    }
    let mut connection = SqliteConnection::connect(&format!("sqlite://{}", file.display())).await.unwrap();
    let sql = "SELECT MAX(LENGTH(CAST(id || issuer_id || COALESCE(browser, '') || COALESCE(network, '') || state AS BLOB)) + 16)
               FROM interactions";
    Some(sqlx::query_scalar(sql).fetch_one(&mut connection).await.unwrap())
}

/// The longest request that is accepted.
fn longest() -> Vec<(&'static str, String)> {
    let claims: Vec<_> =
        (0..180).map(|n| format!("\"claim-of-no-use-{n:03}\":{{\"value\":\"{n}\"}}")).collect();
    let claims = format!("{{\"userinfo\":{{{}}}}}", claims.join(","));
    assert!(claims.len() < 8 * 1024);
    vec![("state", "é+ /".repeat(800)), ("nonce", "n".repeat(1024)), ("claims", claims)]
}

/// A request has as much room as before; what does not fit into the row travels with the browser.
#[tokio::test]
async fn a_request_costs_a_kibibyte_however_long_it_is() {
    let passkeys = "name = \"Example Works\"\n[tenants.policy]\npasskey_sign_in = true\n";
    let idp = TestIdp::with(&HOUSE.replacen("name = \"Example Works\"\n", passkeys, 1)).await;
    let shop = idp.application("shop", "https://shop.test/callback");
    let longest = longest();
    let more: Vec<_> = longest.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let mut browser = behind(&idp, OFFICE);
    let mut page = open_with(&mut browser, &shop, &more).await;
    assert_eq!(page.step(), Some("identify"), "{}", page.body);
    assert!(page.body.contains("passkey_sign_in"), "{}", page.body);
    open_with(&mut behind(&idp, OFFICE), &shop, &[("state", &"s".repeat(400))]).await;
    assert!(largest_row(&idp).await.is_none_or(|bytes| bytes <= 1024), "{:?}", largest_row(&idp).await);

    page = browser.get(page.url.as_str()).await;
    page = sign_in(&mut browser, &page, "tina", "wrong").await;
    assert_eq!(page.step(), Some("identify"), "{}", page.body);
    page = sign_in(&mut browser, &page, "tina", PASSWORD).await;
    assert_eq!(page.step(), Some("second_factor"), "{}", page.body);
    assert!(!page.url.as_str().contains("carried="), "stored now: {}", page.url);
    let back = browser.submit(&page, &[("code", &super::code(&idp))]).await;
    assert_eq!(back.parameter("state").as_deref(), Some(longest[0].1.as_str()));
    let token = shop.token(&back.parameter("code").unwrap()).await.json();
    assert!(token["id_token"].is_string(), "{token}");
}

/// What is carried is sealed, and for one login.
#[tokio::test]
async fn what_the_browser_carries_opens_its_own_login_alone() {
    let (idp, shop) = house().await;
    let state = "s".repeat(2000);
    let mut browser = behind(&idp, OFFICE);
    let one = open_with(&mut browser, &shop, &[("state", &state)]).await;
    let other = open_with(&mut browser, &shop, &[("state", &state.replace('s', "t"))]).await;
    let carried =
        |page: &Answer| page.url.query_pairs().find(|(name, _)| name == "carried").unwrap().1.into_owned();
    let url = one.url.as_str();
    assert!(!url.contains(&state[..100]));
    for wrong in ["", "x", &carried(&other), &carried(&one)[..200]] {
        let answer = browser.get(&url.replace(&carried(&one), wrong)).await;
        assert_eq!((answer.status, answer.step()), (StatusCode::GONE, Some("expired")), "{wrong}");
    }
    let without = url.split("&carried=").next().unwrap();
    assert_eq!(browser.get(without).await.status, StatusCode::GONE);
    assert_eq!(browser.get(url).await.step(), Some("identify"));
}

/// The way to a new password and back keeps it.
#[tokio::test]
async fn the_way_to_a_reset_and_back_carries_it_too() {
    let (idp, shop) = house().await;
    let state = "s".repeat(2000);
    let mut browser = behind(&idp, OFFICE);
    let login = open_with(&mut browser, &shop, &[("state", &state)]).await;
    let link = |page: &Answer, before: &str| {
        let href = page.body.split(before).nth(1).and_then(|rest| rest.split('"').next()).unwrap();
        format!("{}{}", TestIdp::ISSUER, href.replace("&#38;", "&"))
    };
    let href = login.body.split("href=\"/reset").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let reset = browser.get(&format!("{}/reset{}", TestIdp::ISSUER, href.replace("&#38;", "&"))).await;
    assert_eq!(reset.step(), Some("forgotten"));
    let sent = browser.submit(&reset, &[("tenant", super::DOMAIN), ("username", "bert")]).await;
    let back = browser.get(&link(&sent, "class=\"ways\"><a href=\"")).await;
    assert_eq!(back.step(), Some("identify"), "{}", back.body);
    let back = sign_in(&mut browser, &back, "bert", PASSWORD).await;
    assert_eq!(back.parameter("state").as_deref(), Some(state.as_str()));
}
