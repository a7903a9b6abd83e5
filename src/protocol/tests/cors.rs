//! Applications in a browser: who may read the answers of which endpoints.

use axum::http::Method;

use super::House;
use crate::testing::{Answer, TestIdp};

const MORE: &str = r#"
    [[clients]]
    client_id = "page"
    token_endpoint_auth_method = "none"
    redirect_uris = ["https://page.test:8443/app/callback"]
    [[clients]]
    client_id = "gone"
    token_endpoint_auth_method = "none"
    redirect_uris = ["https://gone.test/callback"]
    disabled = true
    [[clients]]
    tenant = "one.test"
    client_id = "inner"
    token_endpoint_auth_method = "none"
    redirect_uris = ["https://inner.test/callback"]
"#;

const PAGE: &str = "https://page.test:8443";

async fn ask(house: &House, method: Method, path: &str, origin: &str, more: &[(&str, &str)]) -> Answer {
    let mut headers = vec![("origin", origin), ("content-type", "application/x-www-form-urlencoded")];
    headers.extend_from_slice(more);
    let url = format!("{}{path}", TestIdp::ISSUER);
    house.idp.browser().send(method, &url, &headers, Some(String::new())).await
}

fn allowed(answer: &Answer) -> Option<&str> {
    answer.headers.get("access-control-allow-origin").map(|origin| origin.to_str().unwrap())
}

#[tokio::test]
async fn a_page_of_a_client_may_read_errors_too() {
    let house = House::with(MORE).await;
    for path in ["/par", "/token", "/userinfo", "/revoke"] {
        let answer = ask(&house, Method::POST, path, PAGE, &[]).await;
        assert!(answer.status.is_client_error());
        assert_eq!(allowed(&answer), Some(PAGE), "{path}");
        assert!(answer.headers.get_all("vary").iter().any(|vary| vary == "Origin"));
        assert_eq!(answer.headers.get("access-control-allow-credentials"), None);
    }
}

#[tokio::test]
async fn a_browser_that_asks_first_is_told() {
    let house = House::with(MORE).await;
    let first =
        [("access-control-request-method", "GET"), ("access-control-request-headers", "authorization")];
    let answer = ask(&house, Method::OPTIONS, "/userinfo", PAGE, &first).await;
    assert_eq!((answer.status.as_u16(), allowed(&answer)), (204, Some(PAGE)));
    assert_eq!(answer.headers["access-control-allow-methods"], "GET, HEAD, POST");
    assert_eq!(answer.headers["access-control-allow-headers"], "authorization");
    let stranger = ask(&house, Method::OPTIONS, "/userinfo", "https://evil.test", &first).await;
    assert_eq!((stranger.status.as_u16(), allowed(&stranger)), (405, None));
}

/// What a preflight for these headers allows.
async fn allowed_headers(house: &House, path: &str, origin: &str, asked: &[&str]) -> String {
    let mut first = vec![("access-control-request-method", "GET")];
    first.extend(asked.iter().map(|line| ("access-control-request-headers", *line)));
    let answer = ask(house, Method::OPTIONS, path, origin, &first).await;
    assert_eq!((answer.status.as_u16(), answer.body.as_str()), (204, ""), "{path} {asked:?}");
    assert_eq!(answer.headers.get("access-control-allow-credentials"), None, "attack 56");
    let vary = answer.headers.get_all("vary").iter();
    assert!(vary.into_iter().any(|vary| vary == "Access-Control-Request-Headers"));
    answer.headers["access-control-allow-headers"].to_str().unwrap().to_owned()
}

/// Tracing, and whatever else a page puts on its requests.
#[tokio::test]
async fn the_headers_asked_for_are_allowed() {
    let house = House::with(MORE).await;
    let usual = "authorization, content-type";
    let many = (0..100).map(|i| format!("x-{i}")).collect::<Vec<_>>().join(",");
    for path in ["/token", "/userinfo", "/jwks", "/.well-known/openid-configuration"] {
        for (asked, allowed) in [
            (&["authorization,traceparent"][..], "authorization, traceparent"),
            (&["Traceparent, X-Requested-With"], "traceparent, x-requested-with"),
            (&["traceparent", "tracestate"], "traceparent, tracestate"),
            (&["traceparent,,b<script>,a b,(c)"], "traceparent"),
            (&[], usual),
            (&[""], usual),
            (&["ä, <>"], usual),
        ] {
            assert_eq!(allowed_headers(&house, path, PAGE, asked).await, allowed, "{path} {asked:?}");
        }
        let list = allowed_headers(&house, path, PAGE, &[&many]).await;
        assert_eq!(list.split(", ").count(), 64, "{path}");
    }
}

#[tokio::test]
async fn every_page_may_read_the_documents() {
    let house = House::with(MORE).await;
    for path in [
        "/jwks",
        "/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server",
        "/t/one.test/jwks",
        "/t/one.test/.well-known/openid-configuration",
        "/.well-known/openid-configuration/t/one.test",
    ] {
        for origin in [PAGE, "https://evil.test", "null"] {
            assert_eq!(allowed_headers(&house, path, origin, &["traceparent"]).await, "traceparent");
            for method in [Method::OPTIONS, Method::GET] {
                let answer = ask(&house, method.clone(), path, origin, &[]).await;
                assert!(answer.status.is_success(), "{method} {path}");
                assert_eq!(allowed(&answer), Some("*"), "{method} {path}");
                assert_eq!(answer.headers.get("access-control-allow-credentials"), None);
            }
        }
    }
    let unknown = ask(&house, Method::GET, "/t/nobody.test/jwks", PAGE, &[]).await;
    assert_eq!((unknown.status.as_u16(), allowed(&unknown)), (404, Some("*")), "errors can be read too");
}

#[tokio::test]
async fn no_other_page_may() {
    let house = House::with(MORE).await;
    let strangers = [
        "https://evil.test",
        "null",
        "https://page.test",
        "http://page.test:8443",
        "https://page.test:8443.evil.test",
        "https://gone.test",
        "https://inner.test",
        TestIdp::ISSUER,
    ];
    for origin in strangers {
        assert_eq!(allowed(&ask(&house, Method::POST, "/token", origin, &[]).await), None, "{origin}");
    }
    let inner = ask(&house, Method::POST, "/t/one.test/token", "https://inner.test", &[]).await;
    assert_eq!(allowed(&inner), Some("https://inner.test"));
}

#[tokio::test]
async fn pages_and_servers_endpoints_are_for_no_page() {
    let house = House::with(MORE).await;
    for route in crate::provider::Idp::routes() {
        let shared = ["/par", "/token", "/userinfo", "/revoke"].contains(&route.path.as_ref());
        let public = route.path.starts_with("/.well-known/")
            || matches!(route.path.as_ref(), "/jwks" | "/api/openapi.json");
        let path = route.path.replace("{id}", "x").replace("{step}", "x").replace("{file}", "x");
        for method in route.methods {
            let answer = ask(&house, method.clone(), &path, PAGE, &[]).await;
            let expected = if shared {
                Some(PAGE)
            } else if public {
                Some("*")
            } else {
                None
            };
            assert_eq!(allowed(&answer), expected, "{method} {path}");
        }
    }
}
