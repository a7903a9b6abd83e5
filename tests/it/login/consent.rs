//! What an application may have.

use super::{PASSWORD, code, enter, error, house, open, sign_in};

#[tokio::test]
async fn consent_is_asked_once_for_each_scope() {
    let (idp, _) = house().await;
    let careful = idp.application("careful", "https://careful.test/callback");
    let mut browser = idp.browser();
    let page = enter(&mut browser, &careful, "bert").await;
    assert_eq!(page.step(), Some("consent"));
    assert!(page.body.contains("careful.test"));
    let denied = browser.submit(&page, &[("cancel", "yes")]).await;
    assert_eq!(error(&denied).as_deref(), Some("access_denied"));
    let page = open(&mut browser, &careful, &[]).await;
    let back = browser.submit(&page, &[]).await;
    assert!(careful.redeem(&back).await.id_token.contains_key("sub"));
    assert!(open(&mut browser, &careful, &[]).await.parameter("code").is_some(), "remembered");
    let more = browser.get(&careful.authorization_url("openid profile email")).await;
    assert_eq!(more.step(), Some("consent"), "a new scope is asked for");
    let again = open(&mut browser, &careful, &[("prompt", "consent")]).await;
    assert_eq!(again.step(), Some("consent"));
}

/// Who denies one application something has signed in all the same, and is not asked again for the next one.
#[tokio::test]
async fn a_denial_keeps_the_session_that_was_proved() {
    let (idp, shop) = house().await;
    let careful = idp.application("careful", "https://careful.test/callback");
    let mut browser = idp.browser();
    let page = enter(&mut browser, &careful, "tina").await;
    let half = browser.submit(&page, &[("cancel", "yes")]).await;
    assert_eq!(error(&half).as_deref(), Some("access_denied"));
    let silent = open(&mut browser, &shop, &[("prompt", "none")]).await;
    assert_eq!(error(&silent).as_deref(), Some("login_required"), "half a login is none");

    let page = enter(&mut browser, &careful, "tina").await;
    let page = browser.submit(&page, &[("code", &code(&idp))]).await;
    assert_eq!(page.step(), Some("consent"), "{}", page.body);
    let denied = browser.submit(&page, &[("cancel", "yes")]).await;
    assert_eq!(error(&denied).as_deref(), Some("access_denied"));
    assert_eq!(denied.parameter("code"), None);
    let silent = open(&mut browser, &careful, &[("prompt", "none")]).await;
    assert_eq!(error(&silent).as_deref(), Some("consent_required"), "nothing was allowed");
    let back = open(&mut browser, &shop, &[("prompt", "none")]).await;
    let tokens = shop.redeem(&back).await;
    assert_eq!(tokens.id_token["acr"], "urn:vestibule:acr:2fa");
    // A second denial of what is open in another tab finds the login over.
    let late = browser.submit(&page, &[("cancel", "yes")]).await;
    assert_eq!((late.step(), late.status.as_u16()), (Some("expired"), 403));
}

/// Once more proved, and then denied: the session knows of it, under a cookie of its own.
#[tokio::test]
async fn a_denial_after_a_new_proof_renews_the_session() {
    let (idp, shop) = house().await;
    let mut browser = idp.browser();
    enter(&mut browser, &shop, "bert").await;
    let mut stolen = browser.clone();
    idp.clock().advance(std::time::Duration::from_mins(10));
    let page = open(&mut browser, &shop, &[("prompt", "login consent")]).await;
    let page = sign_in(&mut browser, &page, "bert", PASSWORD).await;
    assert_eq!(page.step(), Some("consent"), "{}", page.body);
    let denied = browser.submit(&page, &[("cancel", "yes")]).await;
    assert_eq!(error(&denied).as_deref(), Some("access_denied"));
    let young = [("max_age", "60"), ("prompt", "none")];
    assert_eq!(error(&open(&mut browser, &shop, &young).await), None);
    let old = open(&mut stolen, &shop, &[("prompt", "none")]).await;
    assert_eq!(error(&old).as_deref(), Some("login_required"), "the cookie from before is dead");
}

#[tokio::test]
async fn a_page_shown_to_one_user_is_not_another_ones_answer() {
    let (idp, shop) = house().await;
    let mut browser = idp.browser();
    enter(&mut browser, &shop, "bert").await;
    let consent = open(&mut browser, &shop, &[("prompt", "consent")]).await;
    assert_eq!(consent.step(), Some("consent"));
    let login = open(&mut browser, &shop, &[("prompt", "login")]).await;
    let fields = [("tenant", "other.sms"), ("username", "bert"), ("password", "another horse")];
    assert!(browser.submit(&login, &fields).await.parameter("code").is_some());
    let stale = browser.submit(&consent, &[]).await;
    assert_eq!(stale.step(), Some("consent"), "the other user is asked, not spoken for");
    assert_eq!(stale.status.as_u16(), 403);
}
