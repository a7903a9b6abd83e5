//! A login that begins with a pushed request (RFC 9126), in the browser: once, and the same one after a reload.

use axum::http::StatusCode;
use futures_util::future::join_all;
use vestibule::testing::{Answer, Browser};

use super::{PASSWORD, house, sign_in};

/// A page that says that the request is void, and nothing that could go on.
fn is_void(page: &Answer) -> bool {
    page.status == StatusCode::BAD_REQUEST && page.redirect().is_none() && !page.body.contains("<form")
}

#[tokio::test]
async fn a_pushed_request_ends_in_tokens() {
    let (idp, shop) = house().await;
    let url = shop.pushed_url("openid profile", &[("login_hint", "bert")]).await;
    let mut browser = idp.browser();
    let page = browser.get(&url).await;
    assert_eq!(page.step(), Some("identify"));
    assert!(page.body.contains("value=\"bert\""), "what was pushed is known: {}", page.body);
    let back = sign_in(&mut browser, &page, "bert", PASSWORD).await;
    let tokens = shop.redeem(&back).await;
    assert_eq!(tokens.id_token["nonce"], "a-nonce");
    assert!(is_void(&browser.get(&url).await), "the login is over");
    // A signed-in user gets the code at once, which also uses up the request.
    let url = shop.pushed_url("openid profile", &[]).await;
    shop.redeem(&browser.get(&url).await).await;
    assert!(is_void(&browser.get(&url).await));
}

#[tokio::test]
async fn a_reload_finds_the_same_login_and_nobody_else_does() {
    let (idp, shop) = house().await;
    let url = shop.pushed_url("openid profile", &[]).await;
    let mut browser = idp.browser();
    let page = browser.get(&url).await;
    let wrong = sign_in(&mut browser, &page, "bert", "wrong").await;
    assert_eq!(wrong.step(), Some("identify"));
    idp.clock().advance(std::time::Duration::from_mins(5));
    let again = browser.get(&url).await;
    assert_eq!((again.step(), &again.url), (Some("identify"), &page.url), "the pushed minute is long over");
    assert!(is_void(&idp.browser().get(&url).await), "another browser");
    let back = sign_in(&mut browser, &again, "bert", PASSWORD).await;
    shop.redeem(&back).await;
}

#[tokio::test]
async fn an_error_uses_it_up_too() {
    let (idp, shop) = house().await;
    let url = shop.pushed_url("openid", &[("prompt", "none")]).await;
    let mut browser = idp.browser();
    let back = browser.get(&url).await;
    assert_eq!(back.parameter("error").as_deref(), Some("login_required"));
    assert!(is_void(&browser.get(&url).await));
}

#[tokio::test]
async fn a_posted_form_uses_it_up_too() {
    let (idp, shop) = house().await;
    let url = url::Url::parse(&shop.pushed_url("openid", &[]).await).unwrap();
    let fields: Vec<_> = url.query_pairs().collect();
    let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_ref(), value.as_ref())).collect();
    let endpoint = url.as_str().split('?').next().unwrap();
    let mut browser = idp.browser();
    assert_eq!(browser.post(endpoint, &fields).await.step(), Some("identify"));
    assert!(is_void(&idp.browser().post(endpoint, &fields).await));
    assert!(is_void(&idp.browser().get(url.as_str()).await));
}

/// 32 browsers with one `request_uri`.
#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_come_at_once_one_gets_the_login() {
    let (idp, shop) = house().await;
    let url = shop.pushed_url("openid", &[]).await;
    let come = async |mut browser: Browser| browser.get(&url).await;
    let pages = join_all((0..32).map(|_| come(idp.browser()))).await;
    assert_eq!(pages.iter().filter(|page| page.step() == Some("identify")).count(), 1);
    assert_eq!(pages.iter().filter(|page| is_void(page)).count(), 31);
}

/// The same browser, which is known here already: every tab shows the one login.
#[tokio::test(flavor = "multi_thread")]
async fn tabs_that_open_it_at_once_share_the_login() {
    let (idp, shop) = house().await;
    let mut browser = idp.browser();
    browser.get(&shop.authorization_url("openid")).await;
    let url = shop.pushed_url("openid", &[]).await;
    let come = async |mut tab: Browser| tab.get(&url).await;
    let pages = join_all((0..8).map(|_| come(browser.clone()))).await;
    for page in &pages {
        assert_eq!((page.step(), &page.url), (Some("identify"), &pages[0].url), "{}", page.body);
    }
}
