//! Tabs, the Back button, reloads, other browsers, other sites: whatever is sent, the engine decides what comes next.

use std::time::Duration;

use super::{DOMAIN, PASSWORD, enter, error, house, open, sign_in};
use axum::http::{Method, StatusCode};
use vestibule::testing::{Answer, TestIdp};

#[tokio::test]
async fn a_page_that_is_not_due_leads_to_the_one_that_is() {
    let (idp, shop) = house().await;
    let mut browser = idp.browser();
    let identify = open(&mut browser, &shop, &[]).await;
    for guess in ["second_factor", "consent", "recovery_codes", "enrol", "notice", "recovery", "nonsense"] {
        let url = identify.url.as_str().replace("/identify", &format!("/{guess}"));
        assert_eq!(browser.get(&url).await.step(), Some("identify"), "{guess}");
        assert_eq!(
            browser.post(&url, &[("allow", "yes"), ("skip", "yes")]).await.step(),
            Some("identify"),
            "{guess}"
        );
    }
    let otp = sign_in(&mut browser, &identify, "tina", PASSWORD).await;
    assert_eq!(otp.step(), Some("second_factor"));
    let back = browser.get(identify.url.as_str()).await;
    assert_eq!(back.step(), Some("second_factor"), "Back leads to the current page");
    let stale = sign_in(&mut browser, &identify, "bert", PASSWORD).await;
    assert_eq!(stale.step(), Some("second_factor"), "so does an old form");
}

#[tokio::test]
async fn every_answer_to_a_form_is_a_303() {
    let (idp, shop) = house().await;
    let mut browser = idp.browser();
    let page = open(&mut browser, &shop, &[]).await;
    let csrf =
        page.body.split("name=\"csrf\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    for password in ["", "wrong", PASSWORD] {
        let fields = [("csrf", csrf), ("tenant", "123456.sms"), ("username", "bert"), ("password", password)];
        let answer = browser.post_once(page.url.as_str(), &fields).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{password:?}");
    }
}

#[tokio::test]
async fn a_login_belongs_to_one_browser() {
    let (idp, shop) = house().await;
    let page = open(&mut idp.browser(), &shop, &[]).await;
    let mut stranger = idp.browser();
    let seen = stranger.get(page.url.as_str()).await;
    assert_eq!((seen.step(), seen.status), (Some("expired"), StatusCode::GONE));
    assert!(seen.body.contains("https://shop.test/"), "with the way back");
    let posted = sign_in(&mut stranger, &page, "bert", PASSWORD).await;
    assert_eq!((posted.step(), posted.status), (Some("expired"), StatusCode::FORBIDDEN));
    let unknown = page.url.as_str().replace("/login/", "/login/x");
    assert_eq!(super::bare(&stranger.get(&unknown).await), super::bare(&seen), "as if there were none");
}

#[tokio::test]
async fn an_expired_and_a_finished_login_say_so_kindly() {
    let (idp, shop) = house().await;
    let mut browser = idp.browser();
    let first = open(&mut browser, &shop, &[]).await;
    let back = sign_in(&mut browser, &first, "bert", PASSWORD).await;
    assert!(back.parameter("code").is_some());
    let over = browser.get(first.url.as_str()).await;
    assert_eq!(over.step(), Some("expired"));
    assert!(over.body.contains("https://shop.test/"));
    let second = open(&mut idp.browser(), &shop, &[]).await;
    idp.clock().advance(Duration::from_mins(15));
    assert_eq!(browser.get(second.url.as_str()).await.step(), Some("expired"));
}

#[tokio::test]
async fn other_sites_cannot_post_and_old_forms_are_shown_again() {
    let (idp, shop) = house().await;
    let mut browser = idp.browser();
    let page = open(&mut browser, &shop, &[]).await;
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let body = || Some("tenant=123456.sms&username=bert&password=x&csrf=".to_owned());
    for evil in [("origin", "https://evil.test"), ("sec-fetch-site", "cross-site")] {
        let answer = browser.send(Method::POST, page.url.as_str(), &[form[0], evil], body()).await;
        assert_eq!((answer.status, answer.step()), (StatusCode::FORBIDDEN, Some("refused")), "{evil:?}");
    }
    let answer = browser.send(Method::POST, page.url.as_str(), &form, body()).await;
    assert_eq!((answer.status, answer.step()), (StatusCode::FORBIDDEN, Some("identify")));
}

#[tokio::test]
async fn cancel_goes_back_without_a_code() {
    let (idp, shop) = house().await;
    let mut browser = idp.browser();
    let page = open(&mut browser, &shop, &[]).await;
    let back = browser.submit(&page, &[("cancel", "yes")]).await;
    assert_eq!(error(&back).as_deref(), Some("access_denied"));
    assert_eq!(back.parameter("state").as_deref(), Some("a-state"));
    assert_eq!(browser.get(page.url.as_str()).await.step(), Some("expired"));
}

#[tokio::test]
async fn the_tab_that_comes_second_needs_no_second_login() {
    let (idp, shop) = house().await;
    let mut browser = idp.browser();
    let (one, two) = (open(&mut browser, &shop, &[]).await, open(&mut browser, &shop, &[]).await);
    assert!(sign_in(&mut browser, &one, "bert", PASSWORD).await.parameter("code").is_some());
    let stale = sign_in(&mut browser, &two, "bert", "whatever").await;
    assert!(stale.parameter("code").is_some(), "{}", stale.body);
}

#[tokio::test]
async fn a_request_posted_by_another_site_is_bound_by_its_first_page() {
    let (idp, shop) = house().await;
    let mut browser = idp.browser();
    let url = shop.authorization_url("openid profile");
    let (endpoint, query) = url.split_once('?').unwrap();
    let form = [("content-type", "application/x-www-form-urlencoded"), ("origin", "https://shop.test")];
    let begun = idp.browser().send(Method::POST, endpoint, &form, Some(query.to_owned())).await;
    assert_eq!(begun.status, StatusCode::SEE_OTHER);
    assert!(begun.headers.get("set-cookie").is_none(), "it must not replace the browser's own cookie");
    let first = begun.redirect().unwrap();
    let page = browser.get(first.as_str()).await;
    assert_eq!(page.step(), Some("identify"));
    assert_eq!(idp.browser().get(first.as_str()).await.step(), Some("expired"));
    assert!(sign_in(&mut browser, &page, "bert", PASSWORD).await.parameter("code").is_some());
    let again = idp.browser().send(Method::POST, endpoint, &form, Some(query.to_owned())).await;
    let known = browser.get(again.redirect().unwrap().as_str()).await;
    assert!(known.parameter("code").is_some(), "single sign-on, although the post came without cookies");
}

#[tokio::test]
async fn a_faulty_request_is_shown_and_never_sent_on() {
    let (idp, shop) = house().await;
    let mut browser = idp.browser();
    let url = shop.authorization_url("openid").replace("callback", "other");
    let answer = browser.get(&url).await;
    assert_eq!((answer.status, answer.step()), (StatusCode::BAD_REQUEST, Some("refused")));
    assert!(answer.redirect().is_none());
    assert!(answer.body.contains("redirect_uri is not registered"));
}

#[tokio::test]
async fn head_issues_no_code() {
    let (idp, shop) = house().await;
    let mut browser = idp.browser();
    enter(&mut browser, &shop, "bert").await;
    let answer = browser.send(Method::HEAD, &shop.authorization_url("openid"), &[], None).await;
    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn the_answer_may_travel_in_a_form() {
    let (idp, shop) = house().await;
    let mut browser = idp.browser();
    let mode = [("response_mode", "form_post")];
    let page = open(&mut browser, &shop, &mode).await;
    let back = sign_in(&mut browser, &page, "bert", PASSWORD).await;
    assert_eq!((back.status, back.step()), (StatusCode::OK, Some("form_post")));
    assert!(
        back.body.contains("name=\"code\"") && back.body.contains("action=\"https://shop.test/callback\"")
    );
    let silent = open(&mut idp.browser(), &shop, &[mode[0], ("prompt", "none")]).await;
    assert_eq!(silent.step(), Some("form_post"));
    assert!(silent.body.contains("login_required"));
}

/// Browsers apply `form-action` to every redirect that follows a form, and where a client's callback leads is unknown.
#[tokio::test]
async fn only_pages_whose_forms_stay_here_say_where_forms_may_lead() {
    let (idp, shop) = house().await;
    let mut browser = idp.browser();
    let policy = |answer: &Answer| answer.headers["content-security-policy"].to_str().unwrap().to_owned();
    let login = open(&mut browser, &shop, &[]).await;
    let (_, rest) = login.body.split_once("href=\"/reset").expect(&login.body);
    let address =
        format!("{}/reset{}", TestIdp::ISSUER, rest.split('"').next().unwrap().replace("&#38;", "&"));
    let forgotten = browser.get(&address).await;
    assert_eq!(forgotten.step(), Some("forgotten"));
    enter(&mut browser, &shop, "bert").await;
    let careful = idp.application("careful", "https://careful.test/callback");
    let consent = open(&mut browser, &careful, &[]).await;
    assert_eq!(consent.step(), Some("consent"));
    let form_post = open(&mut browser, &shop, &[("response_mode", "form_post")]).await;
    assert_eq!(form_post.step(), Some("form_post"));
    for page in [&login, &forgotten, &consent, &form_post] {
        let policy = policy(page);
        assert!(!policy.contains("form-action"), "{:?} {policy}", page.step());
        for part in ["default-src 'none'", "script-src 'self'", "base-uri 'none'", "frame-ancestors 'none'"] {
            assert!(policy.contains(part), "{:?} {policy}", page.step());
        }
    }
    let sign_out = browser.get(&format!("{}/logout", TestIdp::ISSUER)).await;
    assert_eq!(sign_out.step(), Some("confirm_sign_out"));
    let expired = browser.get(&format!("{}/login/x/identify", TestIdp::ISSUER)).await;
    for page in [&sign_out, &expired] {
        assert!(policy(page).contains("form-action 'self';"), "{:?} {}", page.step(), policy(page));
    }
}

#[tokio::test]
async fn pages_speak_the_languages_asked_for() {
    let (idp, shop) = house().await;
    for (wish, accept, expected) in [
        (Some("fr-CA de"), "de", "fr"),
        (None, "de-AT,en;q=0.5", "de"),
        (Some("se"), "fr", "fr"),
        (None, "xx", "en"),
    ] {
        let mut browser = idp.browser().speaking(accept);
        let more: Vec<_> = wish.map(|tags| ("ui_locales", tags)).into_iter().collect();
        let page = open(&mut browser, &shop, &more).await;
        assert!(page.body.contains(&format!("<html lang=\"{expected}\"")), "{wish:?} {accept}");
        assert_eq!(page.headers["content-language"], expected);
    }
    let mut browser = idp.browser();
    let page = open(&mut browser, &shop, &[]).await;
    let here = &page.url[url::Position::BeforePath..];
    let switch = url::Url::parse_with_params(
        page.url.join("/language").unwrap().as_ref(),
        [("to", "de"), ("back", here)],
    );
    let switched = browser.get(switch.unwrap().as_str()).await;
    assert_eq!(switched.step(), Some("identify"));
    assert!(switched.body.contains("<html lang=\"de\""));
}

/// Of two values it cannot be told which one was checked and which one is used.
#[tokio::test]
async fn a_form_that_carries_a_member_twice_is_refused() {
    let (idp, shop) = house().await;
    let mut browser = idp.browser();
    let page = open(&mut browser, &shop, &[]).await;
    let csrf =
        page.body.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let good = [("csrf", csrf.as_str()), ("tenant", DOMAIN), ("username", "bert"), ("password", PASSWORD)];
    for twice in [good[0], good[1], ("username", "tina"), ("password", ""), ("odd", "1")] {
        let fields = [&good[..], &[twice, ("odd", "2")]].concat();
        let refused = browser.post(page.url.as_str(), &fields).await;
        assert_eq!((refused.status, refused.step()), (StatusCode::BAD_REQUEST, Some("refused")), "{twice:?}");
    }
    assert!(browser.post(page.url.as_str(), &good).await.parameter("code").is_some());
    let at = |path: &str| format!("{}{path}", TestIdp::ISSUER);
    let sign_out = browser.get(&at("/logout")).await;
    let csrf = sign_out.body.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    for (path, fields) in [
        ("/logout", [("csrf", csrf), ("confirm", "yes"), ("confirm", "yes")]),
        ("/reset", [("csrf", csrf), ("account", "bert"), ("account", "tina")]),
        ("/reset/password", [("csrf", csrf), ("new_password", "a"), ("new_password", "b")]),
    ] {
        let refused = browser.post(&at(path), &fields).await;
        assert_eq!((refused.status, refused.step()), (StatusCode::BAD_REQUEST, Some("refused")), "{path}");
    }
    assert!(open(&mut browser, &shop, &[("prompt", "none")]).await.parameter("code").is_some());
}
