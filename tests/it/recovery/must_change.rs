//! A password that must not be kept: the login asks for another one.

use std::time::Duration;

use vestibule::testing::{Answer, Browser, TestIdp};

use super::{NEW, choose, subjects};
use crate::login::{DOMAIN, PASSWORD, code, enter, error, house, open, sign_in};

async fn must_change(idp: &TestIdp, username: &str) {
    let document =
        format!("[[users]]\ntenant = \"{DOMAIN}\"\nusername = \"{username}\"\nmust_change_password = true\n");
    idp.idp().apply(&document).await.unwrap();
    assert!(idp.idp().apply(&document).await.unwrap().is_nothing());
    assert!(idp.idp().export().await.unwrap().contains("must_change_password = true"));
}

#[tokio::test]
async fn the_login_asks_for_a_new_password_once_and_goes_on() {
    let (idp, shop) = house().await;
    must_change(&idp, "bert").await;
    let mut browser = idp.browser();
    let page = enter(&mut browser, &shop, "bert").await;
    assert_eq!(page.step(), Some("new_password"), "{}", page.body);
    for (new, again, error) in [
        (PASSWORD, PASSWORD, "must differ from the old one"),
        ("short", "short", "at least 8"),
        (NEW, "other", "The two passwords differ"),
        ("", NEW, "Please fill in"),
    ] {
        let answer = browser.submit(&page, &[("new_password", new), ("new_password_again", again)]).await;
        assert_eq!(answer.step(), Some("new_password"));
        assert!(answer.body.contains(error), "{error}: {}", answer.body);
    }
    let back = choose(&mut browser, &page, NEW).await;
    assert!(back.parameter("code").is_some(), "{}", back.body);
    assert!(open(&mut browser, &shop, &[("prompt", "none")]).await.parameter("code").is_some());
    let page = open(&mut idp.browser(), &shop, &[]).await;
    let again = sign_in(&mut idp.browser(), &page, "bert", NEW).await;
    assert_ne!(again.step(), Some("new_password"));
    assert!(
        enter(&mut idp.browser(), &shop, "bert").await.step() == Some("identify"),
        "the old one is refused"
    );
    assert!(!idp.idp().export().await.unwrap().contains("must_change_password"));
    assert_eq!(subjects(&idp).await, ["Example Works: your password was changed"]);
}

/// The second factor comes first: the password alone changes nothing.
#[tokio::test]
async fn who_has_a_second_factor_proves_it_first() {
    let (idp, shop) = house().await;
    must_change(&idp, "tina").await;
    let mut browser = idp.browser();
    let otp = enter(&mut browser, &shop, "tina").await;
    assert_eq!(otp.step(), Some("second_factor"));
    let url = otp.url.as_str().replace("second_factor", "new_password");
    let fields = [("new_password", NEW), ("new_password_again", NEW)];
    assert_eq!(browser.post(&url, &fields).await.step(), Some("second_factor"));
    let page = browser.submit(&otp, &[("code", &code(&idp))]).await;
    assert_eq!(page.step(), Some("new_password"));
    assert!(choose(&mut browser, &page, NEW).await.parameter("code").is_some());
}

/// A session that was left open must not be enough to choose the password that comes after it.
#[tokio::test]
async fn a_session_alone_does_not_change_a_password() {
    let (idp, shop) = house().await;
    let mut browser = idp.browser();
    assert!(enter(&mut browser, &shop, "bert").await.parameter("code").is_some());
    let mut other: Browser = idp.browser();
    assert!(enter(&mut other, &shop, "bert").await.parameter("code").is_some());
    idp.clock().advance(Duration::from_secs(5));
    must_change(&idp, "bert").await;
    let silent = open(&mut browser, &shop, &[("prompt", "none")]).await;
    assert_eq!(error(&silent).as_deref(), Some("login_required"));
    let page: Answer = open(&mut browser, &shop, &[]).await;
    assert_eq!(page.step(), Some("identify"), "{}", page.body);
    let page = sign_in(&mut browser, &page, "bert", PASSWORD).await;
    assert_eq!(page.step(), Some("new_password"));
    assert!(choose(&mut browser, &page, NEW).await.parameter("code").is_some());
    assert!(open(&mut browser, &shop, &[("prompt", "none")]).await.parameter("code").is_some());
    let ended = open(&mut other, &shop, &[("prompt", "none")]).await;
    assert_eq!(error(&ended).as_deref(), Some("login_required"), "the other session has ended");
}
