//! Attacks 57 and 95: whoever guesses at secrets, or at tokens, is told to wait, and nobody else is.

use std::time::Duration;

use axum::http::Method;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::assertions::{claims, mac};
use super::{House, OFFICE_SECRET, POSTER_SECRET, error, form, refused};
use crate::crypto::secret::Secret;
use crate::testing::Answer;

/// What the throttle of secrets lets through at once.
const GUESSES: usize = 20;
/// The same for tokens that mean nothing.
const MISSES: usize = 500;
/// How long a secret's guess takes to be forgotten.
const FORGOTTEN: Duration = Duration::from_secs(15);

const HERE: &str = "192.0.2.7:4711";
const ELSEWHERE: &str = "192.0.2.8:4711";
const SIGNER_SECRET: &str = "a secret of at least 32 characters, fourth";

const SIGNER: &str = r#"
    [[clients]]
    client_id = "signer"
    client_secret = "a secret of at least 32 characters, fourth"
    token_endpoint_auth_method = "client_secret_jwt"
    redirect_uris = ["https://signer.test/callback"]
"#;

/// A form from this address; without one, as a host that serves without connection information.
async fn post(house: &House, from: Option<&str>, path: &str, parameters: &[(&str, &str)]) -> Answer {
    let browser = house.idp.browser();
    let mut browser = match from {
        Some(address) => browser.from_address(address.parse().unwrap()),
        None => browser,
    };
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let url = format!("https://id.test{path}");
    browser.send(Method::POST, &url, &headers, Some(form(parameters))).await
}

async fn ask(house: &House, from: Option<&str>, path: &str, secret: &str) -> Answer {
    let all = [
        ("grant_type", "authorization_code"),
        ("code", "unknown"),
        ("token", "unknown"),
        ("client_id", "poster"),
        ("client_secret", secret),
    ];
    post(house, from, path, &all).await
}

fn throttled() -> (u16, String) {
    refused(429, "temporarily_unavailable")
}

#[tokio::test]
async fn wrong_secrets_are_throttled_by_client_and_network() {
    let house = House::new().await;
    let wrong = || refused(401, "invalid_client");
    for at in 0..GUESSES {
        let path = ["/token", "/introspect", "/revoke", "/par"][at % 4];
        assert_eq!(error(&ask(&house, Some(HERE), path, &format!("guess {at}")).await), wrong(), "{at}");
    }
    for path in ["/token", "/introspect", "/revoke", "/par"] {
        for secret in ["guess", POSTER_SECRET] {
            let answer = ask(&house, Some(HERE), path, secret).await;
            assert_eq!(error(&answer), throttled(), "{path} {secret}");
            assert_eq!(answer.headers["retry-after"], "15");
            assert_eq!(answer.headers["cache-control"], "no-store");
        }
    }
    let right = refused(400, "invalid_grant");
    assert_eq!(error(&ask(&house, Some(ELSEWHERE), "/token", POSTER_SECRET).await), right, "elsewhere");
    let office = [("client_id", "shop"), ("grant_type", "authorization_code"), ("code", "unknown")];
    assert_eq!(error(&post(&house, Some(HERE), "/token", &office).await), right, "another client");
    house.idp.clock().advance(FORGOTTEN);
    assert_eq!(error(&ask(&house, Some(HERE), "/token", POSTER_SECRET).await), right, "later");
    assert_eq!(
        error(&ask(&house, Some(HERE), "/token", POSTER_SECRET).await),
        right,
        "right ones cost nothing"
    );
    assert_eq!(error(&ask(&house, Some(HERE), "/token", "guess").await), wrong());
    assert_eq!(error(&ask(&house, Some(HERE), "/token", "guess").await), throttled());
}

/// Both readings of a secret sent by Basic are one guess.
#[tokio::test]
async fn two_readings_are_one_guess() {
    let house = House::new().await;
    let ask = async |secret: &str| {
        let headers = [
            ("content-type", "application/x-www-form-urlencoded"),
            ("authorization", &format!("Basic {}", STANDARD.encode(format!("office:{secret}")))),
        ];
        let body = form(&[("grant_type", "authorization_code"), ("code", "unknown")]);
        let mut browser = house.idp.browser().from_address(HERE.parse().unwrap());
        error(&browser.send(Method::POST, "https://id.test/token", &headers, Some(body)).await)
    };
    for at in 0..GUESSES {
        assert_eq!(ask("a+guess%21").await, refused(401, "invalid_client"), "{at}");
    }
    assert_eq!(ask(OFFICE_SECRET).await, throttled());
    house.idp.clock().advance(FORGOTTEN);
    assert_eq!(ask(OFFICE_SECRET).await, refused(400, "invalid_grant"), "sent raw");
}

#[tokio::test]
async fn without_connection_information_nobody_is_kept_out() {
    let house = House::new().await;
    for _ in 0..GUESSES * 3 {
        assert_eq!(error(&ask(&house, None, "/token", "guess").await), refused(401, "invalid_client"));
    }
    assert_eq!(error(&ask(&house, None, "/token", POSTER_SECRET).await), refused(400, "invalid_grant"));
}

#[tokio::test]
async fn secrets_that_assertions_are_made_with_are_guessed_no_faster() {
    let house = House::with(SIGNER).await;
    let present = async |from: &str, secret: &str, more: bool| {
        let mut claims = claims(&house, "signer");
        if more {
            claims.remove("jti");
        }
        let assertion = mac("HS256", secret.as_bytes(), &claims);
        let all = [
            ("grant_type", "authorization_code"),
            ("code", "unknown"),
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ("client_assertion", assertion.as_str()),
        ];
        error(&post(&house, Some(from), "/token", &all).await)
    };
    for _ in 0..GUESSES * 2 {
        let faulty = present(HERE, SIGNER_SECRET, true).await;
        assert_eq!(faulty, refused(401, "invalid_client"), "made with the secret: no guess");
    }
    for _ in 0..GUESSES {
        assert_eq!(present(HERE, "a guess", false).await, refused(401, "invalid_client"));
    }
    assert_eq!(present(HERE, "a guess", false).await, throttled());
    assert_eq!(present(HERE, SIGNER_SECRET, false).await, throttled());
    assert_eq!(present(ELSEWHERE, SIGNER_SECRET, false).await, refused(400, "invalid_grant"));
}

#[tokio::test]
async fn tokens_are_not_searched_for_at_introspection() {
    let house = House::with(SIGNER).await;
    let (access, _) = house.tokens("openid").await;
    let introspect = async |client: &str, secret: &str, token: &str| {
        let all = [("client_id", client), ("client_secret", secret), ("token", token)];
        post(&house, Some(HERE), "/introspect", &all).await
    };
    let random = |at: usize| match at % 2 {
        0 => Secret::generate().expose().to_owned(),
        _ => format!("at_{}", Secret::generate().expose()),
    };
    let mut bodies = std::collections::BTreeSet::new();
    for at in 0..MISSES {
        // Tokens that need no look-up count for nothing.
        for other in ["unknown", access.as_str()] {
            assert_eq!(introspect("poster", POSTER_SECRET, other).await.status, 200);
        }
        let answer = introspect("poster", POSTER_SECRET, &random(at)).await;
        assert_eq!(answer.status, 200, "{at}");
        bodies.insert(answer.body);
    }
    assert_eq!(bodies.into_iter().collect::<Vec<_>>(), [r#"{"active":false}"#]);
    let answer = introspect("poster", POSTER_SECRET, &random(0)).await;
    assert_eq!(error(&answer), throttled());
    assert_eq!(answer.headers["retry-after"], "1");
    assert_eq!(introspect("poster", POSTER_SECRET, &access).await.status, 200, "a JWT tells by itself");
    house.idp.clock().advance(Duration::from_secs(1));
    assert_eq!(introspect("poster", POSTER_SECRET, &random(1)).await.status, 200);
}
