//! The host that a request names: its spellings, and what is said of one that is no issuer.

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode, Version, header};
use tower::ServiceExt;
use vestibule::domain::issuer::IssuerUrl;
use vestibule::domain::settings::Settings;
use vestibule::testing::TestIdp;

const WORLD: &str = r#"
    [[tenants]]
    domain = "one.test"
    name = "One"
    hosts = ["Login.One.test.", "10.1.2.3"]
"#;

const DISCOVERY: &str = "/.well-known/openid-configuration";

async fn provider(issuer: &str) -> TestIdp {
    TestIdp::with_settings(Settings::new(IssuerUrl::parse(issuer).unwrap()), WORLD).await
}

/// Status, headers and body of a request with these headers, as it came.
async fn ask(router: Router, target: &str, headers: &[(&str, &str)]) -> (StatusCode, String, String) {
    let mut request = Request::builder().uri(target);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = router.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let media_type = response.headers().get(header::CONTENT_TYPE).cloned();
    let media_type = media_type.map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
    let status = response.status();
    let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
    (status, media_type, String::from_utf8(body.to_vec()).unwrap())
}

/// The issuer that a request for this host and path reaches.
async fn reached(idp: &TestIdp, host: &str, path: &str) -> Option<String> {
    let (status, _, body) = ask(idp.router(), path, &[("host", host)]).await;
    let metadata: serde_json::Value = serde_json::from_str(&body).ok()?;
    (status == StatusCode::OK).then(|| metadata["issuer"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_default_port_and_a_root_dot_make_no_other_host() {
    for setting in
        ["https://login.example.test", "https://login.example.test:443", "https://Login.Example.test."]
    {
        let idp = provider(setting).await;
        for host in [
            "login.example.test",
            "login.example.test:443",
            "LOGIN.example.test.",
            "login.example.test.:443",
            "login.example.test:",
        ] {
            let issuer = "https://login.example.test";
            assert_eq!(reached(&idp, host, DISCOVERY).await.as_deref(), Some(issuer), "{setting} {host}");
            let tenant = reached(&idp, host, &format!("/t/one.test{DISCOVERY}")).await;
            assert_eq!(tenant, Some(format!("{issuer}/t/one.test")), "{setting} {host}");
        }
        for host in ["login.one.test", "login.one.test:443", "LOGIN.one.test.", "login.one.test.:443"] {
            let issuer = reached(&idp, host, DISCOVERY).await;
            assert_eq!(issuer.as_deref(), Some("https://login.one.test"), "{setting} {host}");
        }
        assert_eq!(reached(&idp, "10.1.2.3:443", DISCOVERY).await.as_deref(), Some("https://10.1.2.3"));
        for host in ["login.example.test:80", "login.example.test:8443", "login.one.test:80", "10.1.2.3:80"] {
            assert_eq!(reached(&idp, host, DISCOVERY).await, None, "{setting} {host}");
        }
    }
}

#[tokio::test]
async fn plain_http_other_ports_and_addresses_follow_the_same_rule() {
    for (setting, host, issuer) in [
        ("http://id.test", "id.test:80", "http://id.test"),
        ("http://id.test:80", "id.test.", "http://id.test"),
        ("https://id.test:8443", "id.test.:8443", "https://id.test:8443"),
        ("https://[2001:db8::1]:443", "[2001:db8::1]:443", "https://[2001:db8::1]"),
        ("https://[2001:db8::1]", "[2001:DB8::1]", "https://[2001:db8::1]"),
    ] {
        let idp = provider(setting).await;
        assert_eq!(reached(&idp, host, DISCOVERY).await.as_deref(), Some(issuer), "{setting} {host}");
        assert_eq!(reached(&idp, "id.test:443", DISCOVERY).await, None, "{setting}");
    }
}

/// The issuer is configuration: of what a proxy says, its `Host` alone selects one.
#[tokio::test]
async fn nothing_but_the_host_selects_an_issuer() {
    let idp = provider(TestIdp::ISSUER).await;
    for forged in [
        ("x-forwarded-host", "login.one.test"),
        ("forwarded", "host=login.one.test;proto=http"),
        ("x-forwarded-port", "8443"),
        ("x-forwarded-proto", "http"),
        ("x-original-host", "login.one.test"),
    ] {
        let (status, _, body) = ask(idp.router(), DISCOVERY, &[("host", "id.test"), forged]).await;
        let metadata: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!((status, &metadata["issuer"]), (StatusCode::OK, &"https://id.test".into()), "{forged:?}");
        let forged = (forged.0, "id.test");
        let (status, ..) = ask(idp.router(), DISCOVERY, &[("host", "evil.test"), forged]).await;
        assert_eq!(status, StatusCode::MISDIRECTED_REQUEST, "{forged:?}");
    }
    // The target of the request counts before the header (RFC 9112 §3.2.2).
    let target = format!("https://id.test:443{DISCOVERY}");
    let (status, _, body) = ask(idp.router(), &target, &[("host", "evil.test")]).await;
    assert!(status == StatusCode::OK && body.contains("\"https://id.test\""), "{body}");
    let (status, ..) =
        ask(idp.router(), &format!("https://evil.test{DISCOVERY}"), &[("host", "id.test")]).await;
    assert_eq!(status, StatusCode::MISDIRECTED_REQUEST);
}

#[tokio::test]
async fn a_host_that_is_no_issuer_is_told_which_one_to_use() {
    let idp = provider("https://id.test/a").await;
    let path = format!("/a{DISCOVERY}");
    for headers in [
        &[("host", "evil.test")][..],
        &[("host", "<script>alert(1)</script>")],
        &[("host", "id.test"), ("host", "id.test")],
        &[("host", "")],
        &[],
    ] {
        let (status, media_type, body) = ask(idp.router(), &path, headers).await;
        assert_eq!(status, StatusCode::MISDIRECTED_REQUEST, "{headers:?}");
        assert_eq!(media_type, "text/plain; charset=utf-8");
        assert_eq!(body, "No issuer has this host. Use https://id.test/a\n", "nothing sent is repeated");
        for accept in ["application/json", "text/html, Application/JSON;q=0.9"] {
            let headers: Vec<_> = headers.iter().copied().chain([("accept", accept)]).collect();
            let (status, media_type, body) = ask(idp.router(), &path, &headers).await;
            assert_eq!((status, media_type.as_str()), (StatusCode::MISDIRECTED_REQUEST, "application/json"));
            let body: serde_json::Value = serde_json::from_str(&body).unwrap();
            assert_eq!(body["error"], "misdirected_request");
            assert_eq!(body["issuer"], "https://id.test/a");
        }
    }
    // HTTP/1.0 has no `Host`, so it cannot say which issuer it means.
    let request = Request::builder().uri(&path).version(Version::HTTP_10).body(Body::empty()).unwrap();
    let response = idp.router().oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::MISDIRECTED_REQUEST);
}
