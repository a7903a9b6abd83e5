//! HEAD: answered as GET is, without a body, and nothing is changed by it, not even what a GET changes.

use axum::http::{Method, StatusCode};
use vestibule::Idp;
use vestibule::testing::{Answer, Browser, TestIdp};

use crate::login::{DOMAIN, HOUSE, PASSWORD, code, enter, error, house, open, sign_in};
use crate::recovery::{NEW, choose, link};

/// Asks three times with HEAD. Nothing is written, said or set.
async fn head(idp: &TestIdp, browser: &mut Browser, url: &str) -> Answer {
    head_with(idp, browser, url, &[]).await
}

async fn head_with(idp: &TestIdp, browser: &mut Browser, url: &str, headers: &[(&str, &str)]) -> Answer {
    let sent = idp.mailbox().await.len();
    let before = idp.cost().writes;
    let mut statuses = Vec::new();
    let mut last = None;
    for _ in 0..3 {
        let answer = browser.send(Method::HEAD, url, headers, None).await;
        assert_eq!(answer.body, "", "{url}");
        assert!(!answer.headers.contains_key("set-cookie"), "{url}");
        statuses.push(answer.status);
        last = Some(answer);
    }
    statuses.dedup();
    assert_eq!(statuses.len(), 1, "{url}: {statuses:?}");
    assert_eq!(idp.cost().writes, before, "{url}");
    assert_eq!(idp.mailbox().await.len(), sent, "{url}");
    last.unwrap()
}

#[tokio::test]
async fn every_page_answers_it_as_it_answers_get() {
    let idp = TestIdp::with(HOUSE).await;
    let mut pages = 0;
    for route in Idp::routes().into_iter().filter(|route| route.methods.contains(&Method::HEAD)) {
        let path: Vec<_> =
            route.path.split('/').map(|part| if part.starts_with('{') { "x" } else { part }).collect();
        for prefix in ["", "/t/123456.sms"] {
            let url = format!("{}{prefix}{}", TestIdp::ISSUER, path.join("/"));
            let get = idp.browser().send(Method::GET, &url, &[], None).await;
            let head = idp.browser().send(Method::HEAD, &url, &[], None).await;
            assert_eq!((head.status, head.body.as_str()), (get.status, ""), "{url}");
            for name in ["content-type", "content-language", "location", "www-authenticate", "allow", "vary"]
            {
                assert_eq!(head.headers.get(name), get.headers.get(name), "{name} of {url}");
            }
            pages += 1;
        }
    }
    assert!(pages >= 20, "{pages}");
    // Endpoints that consume a response, or only set a cookie.
    for path in ["/authorize", "/login/x/with/y", "/login/from/y", "/language", "/token", "/par"] {
        let answer = idp.browser().send(Method::HEAD, &format!("{}{path}", TestIdp::ISSUER), &[], None).await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{path}");
        assert!(answer.headers.contains_key("allow"), "{path}");
    }
}

/// Mail scanners that fetch a link before its user does consume nothing.
#[tokio::test]
async fn a_link_to_a_new_password_stands_as_before() {
    let (idp, _) = house().await;
    let link = link(&idp, "bert").await;
    let opened = head(&idp, &mut idp.browser(), &link).await;
    assert_eq!(
        (opened.status, opened.redirect().unwrap().path()),
        (StatusCode::SEE_OTHER, "/reset/password")
    );
    let mut browser = idp.browser();
    let page = browser.get(&link).await;
    assert_eq!(head(&idp, &mut browser, page.url.as_str()).await.status, StatusCode::OK);
    assert_eq!(head(&idp, &mut idp.browser(), page.url.as_str()).await.status, StatusCode::GONE);
    assert_eq!(choose(&mut browser, &page, NEW).await.step(), Some("reset_done"));
}

#[tokio::test]
async fn a_login_is_as_far_as_it_was() {
    let (idp, shop) = house().await;
    // A posted request belongs to the first browser that opens its page.
    let request = shop.authorization_url("openid profile");
    let (endpoint, query) = request.split_once('?').unwrap();
    let fields: Vec<_> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let posted = idp.browser().post_once(endpoint, &fields).await;
    let first = posted.redirect().unwrap();
    assert_eq!(head(&idp, &mut idp.browser(), first.as_str()).await.status, StatusCode::OK);
    let mut browser = idp.browser();
    let page = browser.get(first.as_str()).await;
    assert_eq!(page.step(), Some("identify"), "no HEAD has taken it: {}", page.body);

    // The page of a first authenticator makes its secret when it is opened.
    let page = sign_in(&mut browser, &page, "anna", PASSWORD).await;
    assert_eq!(page.step(), Some("enrol"));
    assert_eq!(head(&idp, &mut browser, page.url.as_str()).await.status, StatusCode::OK);
    assert_eq!(browser.get(page.url.as_str()).await.body, page.body);
    let elsewhere = head(&idp, &mut idp.browser(), page.url.as_str()).await;
    assert_eq!(elsewhere.status, StatusCode::GONE);
}

#[tokio::test]
async fn a_login_that_is_complete_elsewhere_gets_no_code() {
    let (idp, shop) = house().await;
    let mut browser = idp.browser();
    let waiting = open(&mut browser, &shop, &[]).await;
    enter(&mut browser, &shop, "bert").await;
    let answer = head(&idp, &mut browser, waiting.url.as_str()).await;
    assert!(!answer.headers.contains_key("location"), "{:?}", answer.headers);
    assert!(browser.get(waiting.url.as_str()).await.parameter("code").is_some());
}

#[tokio::test]
async fn no_code_is_sent() {
    let methods = "name = \"Example Works\"\n[tenants.policy]\nmfa = \"required\"\nmethods = [\"mail\"]\n";
    let idp = TestIdp::with(&HOUSE.replacen("name = \"Example Works\"\n", methods, 1)).await;
    let shop = idp.application("shop", "https://shop.test/callback");
    let mut browser = idp.browser();
    let page = enter(&mut browser, &shop, "bert").await;
    let page = browser.submit(&page, &[("email", "bert@example.test")]).await;
    assert_eq!(page.step(), Some("confirm_code"), "{}", page.body);
    let code = idp.mailbox().await.pop().unwrap().code().unwrap().to_owned();
    idp.clock().advance(std::time::Duration::from_mins(3));
    head(&idp, &mut browser, page.url.as_str()).await;
    let page = browser.submit(&page, &[("code", &code)]).await;
    assert_eq!(page.step(), Some("recovery_codes"), "{}", page.body);
    assert_eq!(head(&idp, &mut browser, page.url.as_str()).await.status, StatusCode::OK);
}

#[tokio::test]
async fn nobody_is_signed_out() {
    let (idp, shop) = house().await;
    let mut browser = idp.browser();
    let tokens = shop.redeem(&enter(&mut browser, &shop, "bert").await).await;
    let hint = tokens.response["id_token"].as_str().unwrap();
    let bye = "post_logout_redirect_uri=https%3A%2F%2Fshop.test%2Fbye";
    for (query, status) in [
        (format!("id_token_hint={hint}&{bye}"), StatusCode::SEE_OTHER),
        (format!("client_id=shop&{bye}"), StatusCode::OK),
        (String::new(), StatusCode::OK),
        ("id_token_hint=x".to_owned(), StatusCode::BAD_REQUEST),
    ] {
        let url = format!("{}/logout?{query}", TestIdp::ISSUER);
        assert_eq!(head(&idp, &mut browser, &url).await.status, status, "{query}");
    }
    let silent = open(&mut browser, &shop, &[("prompt", "none")]).await;
    assert_eq!(error(&silent), None);
}

#[tokio::test]
async fn userinfo_answers_it() {
    let (idp, shop) = house().await;
    let mut browser = idp.browser();
    let page = enter(&mut browser, &shop, "tina").await;
    let back = browser.submit(&page, &[("code", &code(&idp))]).await;
    let bearer = format!("Bearer {}", shop.redeem(&back).await.access_token);
    let url = format!("{}/userinfo", TestIdp::ISSUER);
    let told = head_with(&idp, &mut browser, &url, &[("authorization", &bearer)]).await;
    assert_eq!(
        (told.status, &told.headers["content-type"]),
        (StatusCode::OK, &"application/json".parse().unwrap())
    );
    let get = browser.send(Method::GET, &url, &[("authorization", &bearer)], None).await;
    assert_eq!(told.headers["content-length"], get.body.len().to_string());
    let refused = head(&idp, &mut browser, &url).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    assert_eq!(refused.headers["www-authenticate"], "Bearer");
    let elsewhere = format!("{}/t/{DOMAIN}/userinfo", TestIdp::ISSUER);
    let foreign = head_with(&idp, &mut browser, &elsewhere, &[("authorization", &bearer)]).await;
    assert_eq!(foreign.status, StatusCode::UNAUTHORIZED);
}
