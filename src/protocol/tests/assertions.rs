//! Client assertions that are made with a shared secret (OpenID Connect Core §9, RFC 7523); what the tests of other
//! assertions need too.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::future::join_all;
use serde_json::{Map, Value, json};

use super::{House, error, refused};

const LONG: &str = "a secret of at least 64 characters, which is as long as a SHA-512";
const SHORT: &str = "a secret of at least 32 characters";

const SECRETS: &str = r#"
    [[clients]]
    client_id = "long"
    client_secret = "a secret of at least 64 characters, which is as long as a SHA-512"
    token_endpoint_auth_method = "client_secret_jwt"
    redirect_uris = ["https://signer.test/callback"]
    [[clients]]
    client_id = "short"
    client_secret = "a secret of at least 32 characters"
    token_endpoint_auth_method = "client_secret_jwt"
    redirect_uris = ["https://signer.test/callback"]
    [[clients]]
    client_id = "strict"
    client_secret = "a secret of at least 64 characters, which is as long as a SHA-512"
    token_endpoint_auth_method = "client_secret_jwt"
    token_endpoint_auth_signing_alg = "HS512"
    redirect_uris = ["https://signer.test/callback"]
"#;

pub(super) fn claims(house: &House, client: &str) -> Map<String, Value> {
    let now = house.idp.idp().now().unix();
    let claims = json!({
        "iss": client, "sub": client, "aud": "https://id.test", "iat": now, "exp": now + 60,
        "jti": crate::crypto::random::uuid(),
    });
    claims.as_object().unwrap().clone()
}

pub(super) fn mac(alg: &str, secret: &[u8], claims: &Map<String, Value>) -> String {
    let hash = match alg {
        "HS384" => hmac::HMAC_SHA384,
        "HS512" => hmac::HMAC_SHA512,
        _ => hmac::HMAC_SHA256,
    };
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", part(json!({ "alg": alg })), part(json!(claims)));
    let code = hmac::sign(&hmac::Key::new(hash, secret), message.as_bytes());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(code))
}

pub(super) async fn present(house: &House, assertion: &str) -> (u16, String) {
    let parameters = [
        ("grant_type", "authorization_code"),
        ("code", "unknown"),
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        ("client_assertion", assertion),
    ];
    error(&house.token(&[], &parameters).await)
}

/// A client that proved itself gets as far as its unknown code.
pub(super) fn proven() -> (u16, String) {
    refused(400, "invalid_grant")
}

pub(super) fn failed() -> (u16, String) {
    refused(401, "invalid_client")
}

#[tokio::test]
async fn a_shared_secret_proves_its_client() {
    let house = House::with(SECRETS).await;
    for (client, alg, secret, expected) in [
        ("long", "HS256", LONG, proven()),
        ("long", "HS384", LONG, proven()),
        ("long", "HS512", LONG, proven()),
        ("short", "HS256", SHORT, proven()),
        // RFC 7518 §3.2: the secret is shorter than the hash.
        ("short", "HS384", SHORT, failed()),
        ("short", "HS512", SHORT, failed()),
        ("strict", "HS512", LONG, proven()),
        ("strict", "HS256", LONG, failed()),
        ("long", "HS256", SHORT, failed()),
        ("long", "HS256", "", failed()),
        ("long", "none", LONG, failed()),
        ("long", "RS256", LONG, failed()),
        ("long", "hs256", LONG, failed()),
    ] {
        let assertion = mac(alg, secret.as_bytes(), &claims(&house, client));
        assert_eq!(present(&house, &assertion).await, expected, "{client} {alg}");
    }
}

#[tokio::test]
async fn what_it_says_must_be_meant_for_us_now() {
    let house = House::with(SECRETS).await;
    let now = house.idp.idp().now().unix();
    for (name, value) in [
        ("aud", json!("https://id.test/userinfo")),
        ("aud", json!("https://id.test/introspect")),
        ("aud", json!(["https://id.test", "https://other.test"])),
        ("iss", json!("short")),
        ("sub", json!("short")),
        ("exp", json!(now - 61)),
        ("exp", json!(now + 48 * 3600)),
        ("exp", Value::Null),
        ("nbf", json!(now + 600)),
        ("jti", Value::Null),
    ] {
        let mut claims = claims(&house, "long");
        claims.insert(name.to_owned(), value.clone());
        let assertion = mac("HS256", LONG.as_bytes(), &claims);
        assert_eq!(present(&house, &assertion).await, failed(), "{name} {value}");
    }
    let good = mac("HS256", LONG.as_bytes(), &claims(&house, "long"));
    for altered in
        [format!("{good}A"), format!("{good}="), good.replacen('.', "..", 1), good.replace('.', "")]
    {
        assert_eq!(present(&house, &altered).await, failed(), "{altered}");
    }
    assert_eq!(present(&house, &good).await, proven());
    assert_eq!(present(&house, &good).await, failed(), "used before");
}

/// Several names of this server are one audience; another's among them is an injection (attack 52).
#[tokio::test]
async fn an_audience_of_several_must_be_this_server_alone() {
    let house = House::with(SECRETS).await;
    let (issuer, token, par) = ("https://id.test", "https://id.test/token", "https://id.test/par");
    for (audience, expected) in [
        (json!([issuer]), proven()),
        (json!([token]), proven()),
        (json!([issuer, token]), proven()),
        (json!([token, issuer, par, issuer]), proven()),
        (json!([issuer, "https://id.test/revoke"]), failed()),
        (json!([issuer, "https://id.test/"]), failed()),
        (json!([issuer, "https://id.test/t/one.test"]), failed()),
        (json!([issuer, "https://id.test/t/one.test/token"]), failed()),
        (json!(["https://other.test", issuer]), failed()),
        (json!([issuer, token, "https://other.test"]), failed()),
        (json!([issuer, null]), failed()),
        (json!([issuer, [token]]), failed()),
        (json!([issuer, ""]), failed()),
        (json!([]), failed()),
        (json!([[issuer]]), failed()),
        (json!({ "0": issuer }), failed()),
        (json!(format!("{issuer} {token}")), failed()),
        (Value::Null, failed()),
    ] {
        let mut claims = claims(&house, "long");
        claims.insert("aud".to_owned(), audience.clone());
        let assertion = mac("HS256", LONG.as_bytes(), &claims);
        assert_eq!(present(&house, &assertion).await, expected, "{audience}");
    }
}

#[tokio::test]
async fn of_thirty_two_at_once_one_counts() {
    let house = House::with(SECRETS).await;
    let assertion = mac("HS256", LONG.as_bytes(), &claims(&house, "long"));
    let answers = join_all((0..32).map(|_| present(&house, &assertion))).await;
    assert_eq!(answers.iter().filter(|answer| **answer == proven()).count(), 1, "{answers:?}");
    assert_eq!(answers.iter().filter(|answer| **answer == failed()).count(), 31);
}
