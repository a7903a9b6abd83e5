//! RFC 9126: what may be pushed, by whom, and for whom the reference is good (attacks 82, 85 to 87).

use std::time::Duration;

use axum::http::Method;
use serde_json::Value;

use super::{House, OFFICE_SECRET, error, form, refused};
use crate::domain::error::ErrorCode;
use crate::domain::issuer::IssuerUrl;
use crate::domain::settings::Settings;
use crate::protocol::authorize::AuthorizeError;
use crate::testing::{Answer, TestIdp};

const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

const SHOP: [(&str, &str); 7] = [
    ("client_id", "shop"),
    ("redirect_uri", "https://shop.test/callback"),
    ("response_type", "code"),
    ("scope", "openid"),
    ("state", "a-state"),
    ("code_challenge", CHALLENGE),
    ("code_challenge_method", "S256"),
];

/// Clients that would be somebody else's, and one that must push.
const MORE: &str = r#"
    [[clients]]
    tenant = "one.test"
    client_id = "shop"
    token_endpoint_auth_method = "none"
    redirect_uris = ["https://shop.test/callback"]
    [[clients]]
    client_id = "pusher"
    token_endpoint_auth_method = "none"
    redirect_uris = ["https://shop.test/callback"]
    require_pushed_authorization_requests = true
"#;

/// The shop's request with one parameter changed; an empty value leaves it out.
fn with<'a>(name: &'a str, value: &'a str) -> Vec<(&'a str, &'a str)> {
    let mut pairs: Vec<_> = SHOP.into_iter().filter(|(known, _)| *known != name).collect();
    pairs.extend(Some((name, value)).filter(|(_, value)| !value.is_empty()));
    pairs
}

async fn push(house: &House, parameters: &[(&str, &str)]) -> Answer {
    push_with(house, &[], parameters).await
}

async fn push_with(house: &House, headers: &[(&str, &str)], parameters: &[(&str, &str)]) -> Answer {
    let mut all = vec![("content-type", "application/x-www-form-urlencoded")];
    all.extend_from_slice(headers);
    house.send(Method::POST, "/par", &all, &form(parameters)).await
}

async fn pushed(house: &House, parameters: &[(&str, &str)]) -> String {
    let answer = push(house, parameters).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    answer.json()["request_uri"].as_str().unwrap().to_owned()
}

fn using(client: &str, request_uri: &str) -> String {
    form(&[("client_id", client), ("request_uri", request_uri)])
}

/// The page that says that a reference is void.
async fn is_void(house: &House, query: &str) -> bool {
    match house.validate(query).await {
        Err(AuthorizeError::Show(error)) => error.code == ErrorCode::InvalidRequestUri,
        _ => false,
    }
}

#[tokio::test]
async fn what_was_pushed_is_what_is_asked() {
    let house = House::new().await;
    let answer = push(&house, &with("nonce", "a-nonce")).await;
    assert_eq!(answer.status, 201);
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert_eq!(answer.json()["expires_in"], 60);
    let uri = answer.json()["request_uri"].as_str().unwrap().to_owned();
    let reference = uri.strip_prefix("urn:ietf:params:oauth:request_uri:").unwrap();
    assert!(crate::crypto::secret::is_shaped(reference), "{uri}");
    // What else the browser brings along counts for nothing.
    let more = form(&[("scope", "openid email"), ("redirect_uri", "https://evil.test/"), ("state", "other")]);
    let validated = house.validate(&format!("{}&{more}", using("shop", &uri))).await.unwrap();
    let plain = house.validate(&form(&with("nonce", "a-nonce"))).await.unwrap();
    assert_eq!(validated.request(), plain.request());
    assert!(validated.pushed().is_some() && plain.pushed().is_none());
}

#[tokio::test]
async fn a_client_proves_itself_as_at_the_token_endpoint() {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    let house = House::new().await;
    let encoded: String = url::form_urlencoded::byte_serialize(OFFICE_SECRET.as_bytes()).collect();
    let basic = |secret: &str| format!("Basic {}", STANDARD.encode(format!("office:{secret}")));
    let office =
        [("redirect_uri", "https://office.test/callback"), ("response_type", "code"), ("scope", "openid")];
    let answer = push_with(&house, &[("authorization", &basic(&encoded))], &office).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    let wrong = push_with(&house, &[("authorization", &basic("wrong"))], &office).await;
    assert_eq!(error(&wrong), refused(401, "invalid_client"));
    let none = push(&house, &[&office[..], &[("client_id", "office")]].concat()).await;
    assert_eq!(error(&none), refused(401, "invalid_client"));
    assert_eq!(error(&push(&house, &office).await), refused(401, "invalid_client"));
}

#[tokio::test]
async fn the_client_reads_what_is_wrong() {
    let house = House::new().await;
    for (name, value, code) in [
        ("redirect_uri", "", "invalid_request"),
        ("redirect_uri", "https://evil.test/", "invalid_request"),
        ("response_type", "", "invalid_request"),
        ("response_type", "token", "unsupported_response_type"),
        ("response_type", "bogus", "unsupported_response_type"),
        ("scope", "bogus", "invalid_scope"),
        ("code_challenge", "", "invalid_request"),
        ("code_challenge_method", "plain", "invalid_request"),
        ("prompt", "none login", "invalid_request"),
        ("resource", "https://api.test", "invalid_target"),
        ("request_uri", "https://shop.test/request", "invalid_request"),
        ("request_uri", "urn:ietf:params:oauth:request_uri:x", "invalid_request"),
        ("request", "a.b.c", "invalid_request_object"),
        ("registration", "{}", "registration_not_supported"),
    ] {
        let answer = push(&house, &with(name, value)).await;
        assert_eq!(error(&answer), refused(400, code), "{name}={value}: {}", answer.body);
    }
    let twice = [&SHOP[..], &[("state", "b")]].concat();
    assert_eq!(error(&push(&house, &twice).await), refused(400, "invalid_request"));
    let json = [("content-type", "application/json")];
    assert_eq!(house.send(Method::POST, "/par", &json, "{}").await.status, 415);
    let large = form(&with("state", &"x".repeat(65 * 1024)));
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    assert_eq!(house.send(Method::POST, "/par", &headers, &large).await.status, 413);
}

/// Attack 85.
#[tokio::test]
async fn a_reference_is_good_for_its_client_at_its_issuer_and_not_for_long() {
    let house = House::with(MORE).await;
    let uri = pushed(&house, &SHOP).await;
    assert!(is_void(&house, &using("office", &uri)).await, "another client");
    let guessed = "urn:ietf:params:oauth:request_uri:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    assert!(is_void(&house, &using("shop", guessed)).await, "guessed");
    assert!(is_void(&house, &using("shop", &format!("{uri}%00"))).await, "altered");
    let elsewhere = format!("{}/t/one.test/authorize?{}", TestIdp::ISSUER, using("shop", &uri));
    let page = house.idp.browser().get(&elsewhere).await;
    assert_eq!(page.status, 400, "another issuer: {}", page.body);
    let twice = format!("{}&{}", using("shop", &uri), form(&[("request_uri", &uri)]));
    assert!(matches!(house.validate(&twice).await, Err(AuthorizeError::Show(_))));
    assert!(house.validate(&using("shop", &uri)).await.is_ok(), "none of this used it up");
    house.idp.clock().advance(Duration::from_mins(1));
    assert!(is_void(&house, &using("shop", &uri)).await, "expired");
    house.idp.idp().sweep().await.unwrap();
    assert!(is_void(&house, &using("shop", &uri)).await, "swept");
}

#[tokio::test]
async fn a_client_that_changed_meanwhile_is_asked_again() {
    let house = House::new().await;
    let uri = pushed(&house, &SHOP).await;
    let moved = super::WORLD.replace("https://shop.test/callback", "https://shop.test/elsewhere");
    house.idp.idp().apply(&moved).await.unwrap();
    let answer = house.validate(&using("shop", &uri)).await;
    assert!(matches!(answer, Err(AuthorizeError::Show(_))), "{answer:?}");
}

async fn with_settings(change: impl FnOnce(&mut Settings)) -> House {
    let mut settings = Settings::new(IssuerUrl::parse(TestIdp::ISSUER).unwrap());
    change(&mut settings);
    House::of(TestIdp::with_settings(settings, super::WORLD).await).await
}

/// Attack 86.
#[tokio::test]
async fn a_flood_is_bounded() {
    let house = with_settings(|settings| settings.pushed_requests_per_client = 3).await;
    for _ in 0..3 {
        pushed(&house, &SHOP).await;
    }
    let answer = push(&house, &SHOP).await;
    assert_eq!(error(&answer), refused(429, "temporarily_unavailable"));
    assert_eq!(answer.headers["retry-after"], "60");
    let poster = [
        ("client_id", "poster"),
        ("client_secret", super::POSTER_SECRET),
        ("redirect_uri", "https://poster.test/callback"),
        ("response_type", "code"),
        ("scope", "openid"),
    ];
    pushed(&house, &poster).await;
    house.idp.clock().advance(Duration::from_mins(1));
    let uri = pushed(&house, &SHOP).await;
    pushed(&house, &SHOP).await;
    pushed(&house, &SHOP).await;
    assert_eq!(push(&house, &SHOP).await.status, 429);
    let address = format!("{}/authorize?{}", TestIdp::ISSUER, using("shop", &uri));
    assert_eq!(house.idp.browser().get(&address).await.step(), Some("identify"));
    pushed(&house, &SHOP).await;
}

/// Attack 87.
#[tokio::test]
async fn who_must_push_cannot_do_otherwise() {
    let house = House::with(MORE).await;
    let plain = house.validate(&form(&with("client_id", "pusher"))).await;
    let Err(AuthorizeError::Redirect(_, refusal)) = plain else { panic!("{plain:?}") };
    assert_eq!(refusal.code, ErrorCode::InvalidRequest);
    let uri = pushed(&house, &with("client_id", "pusher")).await;
    assert!(house.validate(&using("pusher", &uri)).await.is_ok());
    assert!(house.validate(&form(&SHOP)).await.is_ok(), "others need not");

    let strict = with_settings(|settings| settings.require_pushed_authorization_requests = true).await;
    assert!(matches!(strict.validate(&form(&SHOP)).await, Err(AuthorizeError::Redirect(..))));
    let uri = pushed(&strict, &SHOP).await;
    assert!(strict.validate(&using("shop", &uri)).await.is_ok());
    let metadata = strict.send(Method::GET, "/.well-known/openid-configuration", &[], "").await.json();
    assert_eq!(metadata["require_pushed_authorization_requests"], Value::Bool(true));
    assert_eq!(metadata["pushed_authorization_request_endpoint"], "https://id.test/par");
}

/// Attacks 81 and 82: nothing is fetched, wherever a `request_uri` points, and whoever sends it.
#[tokio::test]
async fn an_address_is_never_opened() {
    let house = House::with(MORE).await;
    let canary = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = canary.local_addr().unwrap().port();
    for address in [
        format!("http://127.0.0.1:{port}/request"),
        format!("https://localhost:{port}/request"),
        format!("https://127.1:{port}/request"),
        format!("https://2130706433:{port}/request"),
        format!("https://0x7f000001:{port}/request"),
        format!("https://[::ffff:127.0.0.1]:{port}/request"),
        format!("https://shop.test@127.0.0.1:{port}/"),
        format!("//127.0.0.1:{port}/"),
        "file:///etc/passwd".to_owned(),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
    ] {
        let answer = house.validate(&form(&with("request_uri", &address))).await;
        let Err(AuthorizeError::Redirect(_, refusal)) = answer else { panic!("{address}: {answer:?}") };
        assert_eq!(refusal.code, ErrorCode::RequestUriNotSupported, "{address}");
        assert_eq!(
            error(&push(&house, &with("request_uri", &address)).await),
            refused(400, "invalid_request")
        );
    }
    let called = tokio::time::timeout(Duration::from_millis(50), canary.accept()).await;
    assert!(called.is_err(), "somebody called");
}
