//! Sign-out started by an application.

use axum::http::{Method, StatusCode};
use vestibule::testing::{Answer, Application, Browser, TestIdp};

use super::{enter, error, house, open};

async fn signed_in() -> (TestIdp, Application, Browser, String, Answer) {
    let (idp, shop) = house().await;
    let mut browser = idp.browser();
    let back = enter(&mut browser, &shop, "bert").await;
    let tokens = shop.redeem(&back).await;
    let hint = tokens.response["id_token"].as_str().unwrap().to_owned();
    let userinfo = shop.userinfo(&tokens.access_token).await;
    (idp, shop, browser, hint, userinfo)
}

fn logout(parameters: &[(&str, &str)]) -> String {
    url::Url::parse_with_params(&format!("{}/logout", TestIdp::ISSUER), parameters).unwrap().into()
}

async fn is_signed_in(browser: &mut Browser, app: &Application) -> bool {
    error(&open(browser, app, &[("prompt", "none")]).await).is_none()
}

#[tokio::test]
async fn with_a_hint_it_happens_at_once() {
    let (_idp, shop, mut browser, hint, userinfo) = signed_in().await;
    assert_eq!(userinfo.status, StatusCode::OK);
    let target = ("post_logout_redirect_uri", "https://shop.test/bye");
    let answer = browser.get(&logout(&[("id_token_hint", &hint), target, ("state", "s p")])).await;
    assert_eq!(answer.url.as_str(), "https://shop.test/bye?state=s+p");
    assert!(!is_signed_in(&mut browser, &shop).await);
    let again = browser.get(&logout(&[("id_token_hint", &hint), target])).await;
    assert_eq!(again.url.as_str(), "https://shop.test/bye", "a second time does no harm");
}

#[tokio::test]
async fn what_was_given_in_the_session_ends_with_it() {
    let (idp, shop) = house().await;
    let mut browser = idp.browser();
    let tokens = shop.redeem(&enter(&mut browser, &shop, "bert").await).await;
    let pending = open(&mut browser, &shop, &[]).await.parameter("code").unwrap();
    let hint = tokens.response["id_token"].as_str().unwrap().to_owned();
    browser.get(&logout(&[("id_token_hint", &hint)])).await;
    assert_eq!(shop.userinfo(&tokens.access_token).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(shop.token(&pending).await.json()["error"], "invalid_grant");
}

#[tokio::test]
async fn without_a_hint_the_user_is_asked_and_stays() {
    let (idp, shop, mut browser, _, _) = signed_in().await;
    let target = ("post_logout_redirect_uri", "https://shop.test/bye");
    let page = browser.get(&logout(&[target])).await;
    assert_eq!(page.step(), Some("confirm_sign_out"));
    assert!(is_signed_in(&mut browser, &shop).await, "asking changes nothing");
    let forged = [("content-type", "application/x-www-form-urlencoded"), ("origin", "https://evil.test")];
    let body = Some("csrf=x&confirm=yes".to_owned());
    let refused = browser.send(Method::POST, &logout(&[]), &forged, body).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    let stale = browser.post(&logout(&[]), &[("csrf", "x"), ("confirm", "yes")]).await;
    assert_eq!((stale.status, stale.step()), (StatusCode::FORBIDDEN, Some("confirm_sign_out")));
    let token =
        page.body.split("name=\"csrf\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let stayed = browser.post(&logout(&[]), &[("csrf", token), ("cancel", "yes")]).await;
    assert_eq!((stayed.status, stayed.step()), (StatusCode::OK, Some("signed_in")));
    assert!(is_signed_in(&mut browser, &shop).await);
    let done = browser.submit(&page, &[]).await;
    assert_eq!(done.step(), Some("signed_out"));
    assert!(!is_signed_in(&mut browser, &shop).await);
    assert_eq!(idp.browser().get(&logout(&[])).await.step(), Some("signed_out"));
}

#[tokio::test]
async fn a_bad_request_is_a_page_and_changes_nothing() {
    let (_idp, shop, mut browser, hint, _) = signed_in().await;
    let (good, bad) = ("https://shop.test/bye", "https://shop.test/bye?foo=bar");
    let forged = format!("{hint}x");
    for parameters in [
        [("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", bad)],
        [("id_token_hint", forged.as_str()), ("post_logout_redirect_uri", good)],
        [("id_token_hint", hint.as_str()), ("client_id", "careful")],
    ] {
        let answer = browser.get(&logout(&parameters)).await;
        assert_eq!(
            (answer.status, answer.step()),
            (StatusCode::BAD_REQUEST, Some("refused")),
            "{parameters:?}"
        );
        assert!(is_signed_in(&mut browser, &shop).await);
    }
}

#[tokio::test]
async fn a_hint_for_somebody_else_only_asks() {
    let (idp, shop, _, hint, _) = signed_in().await;
    let mut browser = idp.browser();
    let page = open(&mut browser, &shop, &[]).await;
    let fields = [("tenant", "other.sms"), ("username", "bert"), ("password", "another horse")];
    assert!(browser.submit(&page, &fields).await.parameter("code").is_some());
    let asked = browser.get(&logout(&[("id_token_hint", &hint)])).await;
    assert_eq!(asked.step(), Some("confirm_sign_out"));
    assert!(is_signed_in(&mut browser, &shop).await);
}
