//! The client's address behind proxies, through the whole router: what users see in the list of their sessions, and
//! which requests are counted together.

use axum::extract::Request;
use axum::http::{HeaderValue, Method};
use axum::middleware::map_request;
use vestibule::domain::issuer::IssuerUrl;
use vestibule::domain::settings::Settings;
use vestibule::testing::{Browser, TestIdp};

use crate::account::{PORTAL, SESSIONS};
use crate::login::{DOMAIN, HOUSE, PASSWORD, sign_in};

/// A provider behind these proxies.
async fn behind(proxies: &[&str]) -> TestIdp {
    let mut settings = Settings::new(IssuerUrl::parse(TestIdp::ISSUER).unwrap());
    settings.trusted_proxies = proxies.iter().map(|network| network.parse().unwrap()).collect();
    let idp = TestIdp::with_settings(settings, HOUSE).await;
    idp.idp().apply(PORTAL).await.unwrap();
    idp
}

/// A browser whose requests come from `peer` and carry these headers beside its own.
fn browser(idp: &TestIdp, peer: &str, headers: &[(&'static str, &str)]) -> Browser {
    let headers: Vec<_> =
        headers.iter().map(|(name, value)| (*name, HeaderValue::from_str(value).unwrap())).collect();
    let add = move |mut request: Request| {
        for (name, value) in headers.clone() {
            request.headers_mut().append(name, value);
        }
        async move { request }
    };
    let peer = std::net::SocketAddr::new(peer.parse().unwrap(), 4711);
    Browser::new(idp.router().layer(map_request(add))).from_address(peer)
}

/// Where the provider says that such a request came from.
async fn seen(idp: &TestIdp, peer: &str, headers: &[(&'static str, &str)]) -> String {
    let portal = idp.application("portal", "https://portal.test/callback");
    let mut browser = browser(idp, peer, headers);
    let page = browser.get(&portal.authorization_url("openid account:sessions")).await;
    let back = sign_in(&mut browser, &page, "bert", PASSWORD).await;
    let bearer = format!("Bearer {}", portal.redeem(&back).await.access_token);
    let url = format!("{}{SESSIONS}", TestIdp::ISSUER);
    let list = browser.send(Method::GET, &url, &[("authorization", &bearer)], None).await.json();
    let sessions = list["sessions"].as_array().unwrap();
    let own = sessions.iter().find(|session| session["current"] == true).unwrap();
    own["address"].as_str().unwrap().to_owned()
}

const SPOOFED: [&[(&str, &str)]; 6] = [
    &[("x-forwarded-for", "198.51.100.9")],
    &[("forwarded", "for=198.51.100.9")],
    &[("x-real-ip", "198.51.100.9"), ("true-client-ip", "198.51.100.9")],
    &[("x-forwarded-for", "10.0.0.1"), ("x-forwarded-for", "198.51.100.9")],
    &[("forwarded", "for=198.51.100.9"), ("x-forwarded-for", "198.51.100.9")],
    &[("x-forwarded-host", "198.51.100.9"), ("x-forwarded-for", "127.0.0.1")],
];

#[tokio::test]
async fn without_proxies_no_header_counts() {
    let idp = behind(&[]).await;
    for headers in SPOOFED {
        assert_eq!(seen(&idp, "192.0.2.1", headers).await, "192.0.2.1", "{headers:?}");
    }
    assert_eq!(seen(&idp, "127.0.0.1", SPOOFED[0]).await, "127.0.0.1", "this machine is no proxy by itself");
}

#[tokio::test]
async fn a_proxy_is_believed_and_nobody_else() {
    let idp = behind(&["10.0.0.0/8"]).await;
    for headers in SPOOFED {
        assert_eq!(seen(&idp, "192.0.2.1", headers).await, "192.0.2.1", "{headers:?}");
    }
    for (headers, expected) in [
        (&[][..], "10.0.0.1"),
        (&[("x-forwarded-for", "198.51.100.9")], "198.51.100.9"),
        (&[("forwarded", "for=198.51.100.9;proto=https")], "198.51.100.9"),
        (&[("forwarded", "for=\"[2001:db8:1:2:3::9]:4711\"")], "2001:db8:1:2::"),
        // What the client wrote stands to the left of what the proxy saw.
        (&[("x-forwarded-for", "203.0.113.66, 198.51.100.9")], "198.51.100.9"),
        (
            &[("x-forwarded-for", "203.0.113.66"), ("x-forwarded-for", "198.51.100.9, 10.0.0.2")],
            "198.51.100.9",
        ),
        (&[("x-forwarded-for", "203.0.113.66, nonsense")], "10.0.0.1"),
        (&[("x-real-ip", "203.0.113.66")], "10.0.0.1"),
        (&[("forwarded", "for=203.0.113.66"), ("x-forwarded-for", "198.51.100.9")], "10.0.0.1"),
    ] {
        assert_eq!(seen(&idp, "10.0.0.1", headers).await, expected, "{headers:?}");
    }
}

/// A hundred wrong passwords, each for another user and under another address, then the right one.
async fn signs_in_after_a_hundred(idp: &TestIdp, peer: &str) -> bool {
    let shop = idp.application("shop", "https://shop.test/callback");
    for number in 0..100 {
        let address = format!("198.51.100.{number}");
        let mut browser = browser(idp, peer, &[("x-forwarded-for", &address)]);
        let page = browser.get(&shop.authorization_url("openid")).await;
        let fields = [("tenant", DOMAIN), ("username", &format!("user{number}")), ("password", "wrong")];
        browser.submit(&page, &fields).await;
    }
    let mut browser = browser(idp, peer, &[("x-forwarded-for", "203.0.113.66")]);
    let page = browser.get(&shop.authorization_url("openid")).await;
    sign_in(&mut browser, &page, "bert", PASSWORD).await.parameter("code").is_some()
}

#[tokio::test]
async fn who_rotates_a_header_is_counted_as_one() {
    let idp = behind(&["10.0.0.0/8"]).await;
    assert!(!signs_in_after_a_hundred(&idp, "192.0.2.1").await, "one stranger");
    assert!(signs_in_after_a_hundred(&idp, "10.0.0.1").await, "a hundred people behind a proxy");
}
