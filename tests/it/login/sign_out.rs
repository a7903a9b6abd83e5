//! Sign-out started by an application.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use vestibule::testing::{Answer, Application, Browser, TestIdp};

use super::{HOUSE, enter, error, house, open};

const BYE: (&str, &str) = ("post_logout_redirect_uri", "https://shop.test/bye");

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
    assert_eq!(again.step(), Some("signed_out"), "a second time does no harm");
    assert!(again.body.contains("href=\"https://shop.test/bye\""), "{}", again.body);
}

/// An ID token may have been copied out of a log, and expires soon; the cookie says that the user's browser is here.
#[tokio::test]
async fn a_hint_without_the_cookie_of_its_session_ends_nothing() {
    let (idp, shop, mut browser, hint, _) = signed_in().await;
    let target = [("id_token_hint", hint.as_str()), BYE, ("state", "s p")];
    let elsewhere = idp.browser().get(&logout(&target)).await;
    assert_eq!((elsewhere.status, elsewhere.step()), (StatusCode::OK, Some("signed_out")));
    assert!(elsewhere.body.contains("href=\"https://shop.test/bye?state=s+p\""), "{}", elsewhere.body);
    assert!(!elsewhere.headers.contains_key("set-cookie"));
    let nowhere = idp.browser().get(&logout(&[("id_token_hint", &hint)])).await;
    assert!(nowhere.body.contains("href=\"https://shop.test/\""), "{}", nowhere.body);
    assert!(is_signed_in(&mut browser, &shop).await);
    idp.clock().advance(Duration::from_mins(20));
    let answer = browser.get(&logout(&target)).await;
    assert_eq!(answer.url.as_str(), "https://shop.test/bye?state=s+p", "an expired hint is as good");
    assert!(!is_signed_in(&mut browser, &shop).await);
}

#[tokio::test]
async fn a_hint_of_an_earlier_session_only_asks() {
    let (idp, shop, mut browser, hint, _) = signed_in().await;
    let mut later = idp.browser();
    enter(&mut later, &shop, "bert").await;
    let asked = later.get(&logout(&[("id_token_hint", &hint), BYE])).await;
    assert_eq!(asked.step(), Some("confirm_sign_out"));
    assert!(is_signed_in(&mut later, &shop).await);
    assert!(is_signed_in(&mut browser, &shop).await, "nor is the hint's own session ended from elsewhere");
    assert_eq!(later.submit(&asked, &[]).await.step(), Some("signed_out"));
    assert!(!is_signed_in(&mut later, &shop).await);
    assert!(is_signed_in(&mut browser, &shop).await);
}

/// Another site's form comes without cookies that are `SameSite=Lax`; the redirect that follows it brings them.
#[tokio::test]
async fn a_post_is_sent_on_to_a_get_that_brings_the_cookie() {
    let (idp, shop, mut browser, hint, _) = signed_in().await;
    let fields = [("id_token_hint", hint.as_str()), BYE, ("state", "s&p=\u{e4}")];
    let cross_site = idp.browser().post_once(&logout(&[]), &fields).await;
    assert_eq!(cross_site.status, StatusCode::SEE_OTHER);
    let address = cross_site.redirect().unwrap();
    assert_eq!(address.as_str(), logout(&fields));
    assert!(is_signed_in(&mut browser, &shop).await);
    assert_eq!(
        browser.get(address.as_str()).await.url.as_str(),
        "https://shop.test/bye?state=s%26p%3D%C3%A4"
    );
    assert!(!is_signed_in(&mut browser, &shop).await);
    let bare = idp.browser().post_once(&logout(&[]), &[]).await;
    let address = bare.redirect().unwrap();
    assert_eq!((bare.status, address.as_str()), (StatusCode::SEE_OTHER, "https://id.test/logout"));
}

#[tokio::test]
async fn a_post_at_a_tenants_issuer_stays_there() {
    let (idp, _) = house().await;
    let address = format!("{}/t/123456.sms/logout", TestIdp::ISSUER);
    let posted = idp.browser().post_once(&address, &[("state", "x")]).await;
    assert_eq!(posted.redirect().unwrap().as_str(), format!("{address}?state=x"));
}

#[tokio::test]
async fn a_back_end_ends_sessions_where_its_registration_says_so() {
    let (idp, shop, mut browser, hint, _) = signed_in().await;
    let backend = |on: bool| format!("[[clients]]\nclient_id = \"shop\"\nbackend_logout = {on}");
    idp.idp().apply(&backend(true)).await.unwrap();
    let target = [("id_token_hint", hint.as_str()), BYE];
    idp.clock().advance(Duration::from_mins(20));
    let expired = idp.browser().get(&logout(&target)).await;
    assert_eq!(expired.step(), Some("signed_out"), "its hint must not be expired");
    assert!(is_signed_in(&mut browser, &shop).await);

    let fresh = shop.redeem(&open(&mut browser, &shop, &[]).await).await;
    let hint = fresh.response["id_token"].as_str().unwrap();
    let ended = idp.browser().post(&logout(&[]), &[("id_token_hint", hint), BYE]).await;
    assert_eq!(ended.url.as_str(), "https://shop.test/bye");
    assert!(!is_signed_in(&mut browser, &shop).await);
    assert_eq!(shop.userinfo(&fresh.access_token).await.status, StatusCode::UNAUTHORIZED);
}

/// The browser in front decides, whatever the client may do from its back end.
#[tokio::test]
async fn a_back_ends_hint_ends_no_other_session_of_the_browser_that_brings_it() {
    let document = HOUSE.replace("client_uri = ", "backend_logout = true\n    client_uri = ");
    let idp = TestIdp::with(&document).await;
    let shop = idp.application("shop", "https://shop.test/callback");
    let (mut first, mut second) = (idp.browser(), idp.browser());
    let tokens = shop.redeem(&enter(&mut first, &shop, "bert").await).await;
    enter(&mut second, &shop, "bert").await;
    let hint = tokens.response["id_token"].as_str().unwrap();
    let asked = second.get(&logout(&[("id_token_hint", hint), BYE])).await;
    assert_eq!(asked.step(), Some("confirm_sign_out"));
    assert!(is_signed_in(&mut first, &shop).await && is_signed_in(&mut second, &shop).await);
}

#[tokio::test]
async fn backend_logout_is_exported_and_refused_when_wrong() {
    let (idp, _) = house().await;
    let on = "[[clients]]\nclient_id = \"shop\"\nbackend_logout = ";
    assert!(!idp.idp().export().await.unwrap().contains("backend_logout = true"));
    assert_eq!(idp.idp().apply(&format!("{on}true")).await.unwrap().changed, ["client shop"]);
    assert!(idp.idp().export().await.unwrap().contains("backend_logout = true"));
    let wrong = idp.idp().apply(&format!("{on}\"yes\"")).await.unwrap_err().to_string();
    assert!(wrong.contains("clients[0].backend_logout"), "{wrong}");
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
