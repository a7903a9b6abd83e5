//! What an application may have.

use super::{enter, error, house, open};

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
    let page = enter(&mut browser, &careful, "bert").await;
    let back = browser.submit(&page, &[]).await;
    assert!(careful.redeem(&back).await.id_token.contains_key("sub"));
    assert!(open(&mut browser, &careful, &[]).await.parameter("code").is_some(), "remembered");
    let more = browser.get(&careful.authorization_url("openid profile email")).await;
    assert_eq!(more.step(), Some("consent"), "a new scope is asked for");
    let again = open(&mut browser, &careful, &[("prompt", "consent")]).await;
    assert_eq!(again.step(), Some("consent"));
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
