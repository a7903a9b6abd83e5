//! Generated from the route table: what holds for every route, so that a new one cannot be forgotten.

use axum::http::{Method, StatusCode};
use vestibule::testing::{Answer, Application, Browser, TestIdp};
use vestibule::{Access, Idp, RouteInfo};

const WORLD: &str = r#"
    [[tenants]]
    domain = "one.test"
    name = "One"
    [[tenants]]
    domain = "two.test"
    name = "Two"
    [[users]]
    tenant = "one.test"
    username = "anna"
    password = "correct horse battery staple"
    [[clients]]
    client_id = "shop"
    token_endpoint_auth_method = "none"
    redirect_uris = ["https://shop.test/callback"]
"#;

/// One application at each issuer, and a user of the second tenant.
const DESKS: &str = r#"
    [[users]]
    tenant = "two.test"
    username = "bert"
    password = "another horse"
    [[clients]]
    client_id = "desk"
    token_endpoint_auth_method = "none"
    redirect_uris = ["https://desk.test/callback"]
    [[clients]]
    tenant = "one.test"
    client_id = "desk"
    token_endpoint_auth_method = "none"
    redirect_uris = ["https://desk.test/callback"]
    [[clients]]
    tenant = "two.test"
    client_id = "desk"
    token_endpoint_auth_method = "none"
    redirect_uris = ["https://desk.test/callback"]
"#;

const METHODS: [Method; 8] = [
    Method::GET,
    Method::HEAD,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
    Method::OPTIONS,
    Method::TRACE,
];

/// Strings that have broken parsers before: in a query, in a body, as a path segment.
const ODD: [&str; 12] = [
    "",
    "&&&==&=",
    "a=%",
    "a=%ff%fe",
    "client_id=%00&redirect_uri=%00",
    "code=%0d%0aSet-Cookie:x&grant_type=authorization_code",
    "max_age=99999999999999999999&client_id=shop",
    "claims=[[[[[[[[[[[[[[[[[[[[[[&client_id=shop",
    "to=%F0%9F%98%80&back=//evil.test",
    "id_token_hint=a.b.c&post_logout_redirect_uri=x",
    "access_token=..&access_token=..",
    "grant_type=authorization_code&client_assertion=e30.e30.&client_assertion_type=x",
];

/// The path with something plausible in each place that a route leaves open.
fn filled(route: &RouteInfo) -> String {
    route
        .path
        .split('/')
        .map(|segment| match segment {
            "{step}" => "identify",
            open if open.starts_with('{') => "018f0000-0000-7000-8000-000000000000",
            fixed => fixed,
        })
        .collect::<Vec<_>>()
        .join("/")
}

/// Every route at the root issuer and at a tenant's.
fn addresses(route: &RouteInfo) -> [String; 2] {
    ["", "/t/one.test"].map(|prefix| format!("{}{prefix}{}", TestIdp::ISSUER, filled(route)))
}

async fn send(browser: &mut Browser, method: &Method, url: &str, body: &str) -> Answer {
    let form = [("content-type", "application/x-www-form-urlencoded")];
    browser.send(method.clone(), url, &form, Some(body.to_owned())).await
}

#[tokio::test]
async fn every_answer_is_guarded_and_none_is_a_fault() {
    let idp = TestIdp::with(WORLD).await;
    for route in Idp::routes() {
        for url in addresses(&route) {
            for method in METHODS {
                for odd in ODD {
                    let answer = send(&mut idp.browser(), &method, &format!("{url}?{odd}"), odd).await;
                    let what = format!("{method} {url} with {odd}");
                    assert!(answer.status.as_u16() < 500, "{what}: {}", answer.status);
                    for (name, value) in [
                        ("x-frame-options", "DENY"),
                        ("x-content-type-options", "nosniff"),
                        ("referrer-policy", "no-referrer"),
                    ] {
                        assert_eq!(answer.headers.get(name).unwrap(), value, "{what}");
                    }
                    let policy = answer.headers["content-security-policy"].to_str().unwrap();
                    assert!(policy.contains("frame-ancestors 'none'"), "{what}: {policy}");
                    assert!(policy.contains("base-uri 'none'"), "{what}: {policy}");
                    assert!(!policy.contains("unsafe"), "{what}: {policy}");
                }
            }
        }
    }
}

/// Every open place in a path, filled with what no store, file or header holds.
#[tokio::test]
async fn an_odd_segment_names_nothing() {
    let idp = TestIdp::with(WORLD).await;
    for route in Idp::routes().into_iter().filter(|route| route.path.contains('{')) {
        for odd in ["%00", "a%00b", "%ff", "..%2f..%2f", "%0d%0a", "%F0%9F%98%80", "'%20OR%201=1--"] {
            let open =
                |segment: &str| if segment.starts_with('{') { odd.to_owned() } else { segment.to_owned() };
            let path: Vec<_> = route.path.split('/').map(open).collect();
            for method in route.methods {
                let url = format!("{}{}", TestIdp::ISSUER, path.join("/"));
                let answer = send(&mut idp.browser(), method, &url, "").await;
                assert!(answer.status.is_client_error(), "{method} {url}: {}", answer.status);
            }
        }
    }
}

#[tokio::test]
async fn a_method_that_no_row_names_is_refused() {
    let idp = TestIdp::with(WORLD).await;
    for route in Idp::routes() {
        for url in addresses(&route) {
            for method in METHODS.iter().filter(|method| !route.methods.contains(method)) {
                let answer = send(&mut idp.browser(), method, &url, "").await;
                assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{method} {url}");
                let names: Vec<_> = route.methods.iter().map(Method::as_str).collect();
                assert_eq!(answer.headers["allow"], names.join(", "), "{method} {url}");
            }
        }
    }
}

#[tokio::test]
async fn every_unknown_tenant_gets_the_same_answer() {
    let idp = TestIdp::with(WORLD).await;
    for route in Idp::routes() {
        for method in route.methods {
            let mut bodies = Vec::new();
            for tenant in ["nobody.test", "ONE.test", "one.test.", "xn--one", "%ff", "%00"] {
                let url = format!("{}/t/{tenant}{}", TestIdp::ISSUER, filled(&route));
                let answer = send(&mut idp.browser(), method, &url, "").await;
                assert_eq!(answer.status, StatusCode::NOT_FOUND, "{method} {url}");
                bodies.push(answer.body);
            }
            bodies.dedup();
            assert_eq!(bodies.len(), 1, "{method} {}: {bodies:?}", route.path);
        }
    }
}

#[tokio::test]
async fn a_host_that_no_issuer_owns_is_misdirected() {
    let idp = TestIdp::with(WORLD).await;
    for route in Idp::routes() {
        for method in route.methods {
            for host in ["https://evil.test", "https://id.test:8443", "https://id.test..", "https://one.test"]
            {
                for prefix in ["", "/t/one.test", "/t/nobody.test"] {
                    let url = format!("{host}{prefix}{}", filled(&route));
                    let answer = send(&mut idp.browser(), method, &url, "").await;
                    assert_eq!(answer.status, StatusCode::MISDIRECTED_REQUEST, "{method} {url}");
                    assert_eq!(answer.headers["cache-control"], "no-store");
                    if *method != Method::HEAD {
                        assert_eq!(answer.body, "No issuer has this host. Use https://id.test\n", "{url}");
                    }
                }
            }
        }
    }
}

/// A session cookie of one issuer under the cookie name of another is ignored: every route answers as without it.
#[tokio::test]
async fn a_session_of_another_issuer_is_none() {
    let idp = TestIdp::with(WORLD).await;
    idp.idp().apply(DESKS).await.unwrap();
    let issuers = ["", "/t/one.test", "/t/two.test"].map(|path| format!("{}{path}", TestIdp::ISSUER));
    let mut cookies = Vec::new();
    for issuer in &issuers {
        let (username, password) = if issuer.ends_with("two.test") {
            ("bert", "another horse")
        } else {
            ("anna", "correct horse battery staple")
        };
        let desk = Application::new(&idp, issuer, "desk", "https://desk.test/callback");
        let mut browser = idp.browser();
        let page = browser.get(&desk.authorization_url("openid")).await;
        let fields = [("tenant", "one.test"), ("username", username), ("password", password)];
        let back = browser.submit(&page, &fields).await;
        assert!(back.parameter("code").is_some(), "{} {}", back.url, back.body);
        let silent = browser.get(&desk.authorization_url_with("openid", &[("prompt", "none")])).await;
        assert!(silent.parameter("code").is_some(), "at home it is good");
        let session = browser.cookies().iter().find(|((_, name), _)| name.contains("session"));
        cookies.push(session.map(|(key, value)| (key.clone(), value.clone())).unwrap());
    }
    for (at, issuer) in issuers.iter().enumerate() {
        let desk = Application::new(&idp, issuer, "desk", "https://desk.test/callback");
        for (_, foreign) in cookies.iter().filter(|cookie| **cookie != cookies[at]) {
            let mut planted = idp.browser();
            planted.cookies().insert(cookies[at].0.clone(), foreign.clone());
            let silent = planted.get(&desk.authorization_url_with("openid", &[("prompt", "none")])).await;
            assert_eq!(silent.parameter("error").as_deref(), Some("login_required"), "{issuer}");
            for route in Idp::routes() {
                for method in route.methods {
                    let url = format!("{issuer}{}", filled(&route));
                    let with = send(&mut planted.clone(), method, &url, "").await;
                    let without = send(&mut idp.browser(), method, &url, "").await;
                    assert_eq!(
                        (with.status, with.step()),
                        (without.status, without.step()),
                        "{method} {url}"
                    );
                }
            }
        }
    }
}

const TINA: [(&str, &str); 3] =
    [("tenant", "one.test"), ("username", "tina"), ("password", "correct horse battery staple")];

/// Routes that need authentication give nothing without it.
#[tokio::test]
async fn a_route_that_demands_something_gives_nothing_without_it() {
    let idp = TestIdp::with(WORLD).await;
    let tina = r#"
        [[users]]
        tenant = "one.test"
        username = "tina"
        password = "correct horse battery staple"
        [[users.authenticators]]
        kind = "totp"
        secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
    "#;
    idp.idp().apply(tina).await.unwrap();
    let shop = idp.application("shop", "https://shop.test/callback");
    for route in Idp::routes() {
        for url in addresses(&route) {
            for method in route.methods {
                // A stranger, a browser that has a login of its own in progress, and one whose user has given the
                // password.
                let mut begun = idp.browser();
                let page = begun.get(&shop.authorization_url("openid")).await;
                let mut half = begun.clone();
                let otp = half.submit(&page, &TINA).await;
                assert_eq!(otp.step(), Some("second_factor"), "{}", otp.body);
                for mut browser in [idp.browser(), begun, half] {
                    let answer = send(&mut browser, method, &url, "").await;
                    let what = format!("{method} {url}: {} {}", answer.status, answer.body);
                    match route.access {
                        Access::Open => {}
                        Access::Browser => {
                            assert!(answer.status.is_client_error(), "{what}");
                            assert!(!answer.body.contains("name=\"csrf\""), "{what}");
                        }
                        Access::Client => assert!(
                            matches!(answer.status, StatusCode::UNAUTHORIZED | StatusCode::BAD_REQUEST),
                            "{what}"
                        ),
                        Access::Bearer(_) => {
                            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{what}");
                            assert!(answer.headers.contains_key("www-authenticate"), "{what}");
                        }
                    }
                }
            }
        }
    }
}

#[tokio::test]
async fn bodies_are_bounded_and_never_inflated() {
    let idp = TestIdp::with(WORLD).await;
    let large = format!("a={}", "x".repeat(65 * 1024));
    for route in Idp::routes().iter().filter(|route| route.methods.contains(&Method::POST)) {
        for url in addresses(route) {
            let answer = send(&mut idp.browser(), &Method::POST, &url, &large).await;
            assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE, "{url}");
            let zipped =
                [("content-encoding", "gzip"), ("content-type", "application/x-www-form-urlencoded")];
            let answer = idp.browser().send(Method::POST, &url, &zipped, Some("x".into())).await;
            assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{url}");
        }
    }
}
