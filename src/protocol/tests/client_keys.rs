//! Keys that a client publishes at its `jwks_uri` (OpenID Connect Core §10.1.1): when they are fetched, how long they
//! count, and what hostile sets and assertions come to.

use std::time::Duration;

use axum::http::StatusCode;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::future::{self, join_all};
use serde_json::{Value, json};

use super::assertions::{claims, failed, mac, present, proven};
use super::published::Publisher;
use super::{House, form};
use crate::crypto::jwt;
use crate::crypto::keys::SigningKey;
use crate::domain::client::SigningAlgorithm;

/// A house whose client `publisher` has its keys at a server on this machine.
async fn open(set: Value) -> (Publisher, House) {
    let publisher = Publisher::start(set).await;
    let client = format!(
        r#"
        [[clients]]
        client_id = "publisher"
        token_endpoint_auth_method = "private_key_jwt"
        jwks_uri = "http://{}/keys"
        redirect_uris = ["https://publisher.test/callback"]
        "#,
        publisher.address
    );
    let house = publisher.house(&client).await;
    (publisher, house)
}

fn key() -> SigningKey {
    SigningKey::generate(SigningAlgorithm::Es256).unwrap()
}

pub(super) fn set(keys: &[&SigningKey]) -> Value {
    json!({ "keys": keys.iter().map(|key| key.jwk()).collect::<Vec<_>>() })
}

async fn signed(house: &House, key: &SigningKey) -> (u16, String) {
    let assertion = jwt::sign(key, "JWT", &claims(house, "publisher")).unwrap();
    present(house, &assertion).await
}

/// An assertion with any header.
pub(super) fn headed(house: &House, key: &SigningKey, header: &Value) -> String {
    let part = |text: String| URL_SAFE_NO_PAD.encode(text);
    let message =
        format!("{}.{}", part(header.to_string()), part(json!(claims(house, "publisher")).to_string()));
    let signature = key.sign(message.as_bytes()).unwrap();
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

#[tokio::test]
async fn a_published_key_is_fetched_once_and_a_new_one_when_it_is_named() {
    let (old, new) = (key(), key());
    let (publisher, house) = open(set(&[&old])).await;
    assert_eq!(publisher.fetches(), 0, "not when it is registered");
    for _ in 0..3 {
        assert_eq!(signed(&house, &old).await, proven());
    }
    assert_eq!(publisher.fetches(), 1);
    publisher.publish(&set(&[&new]));
    assert_eq!(signed(&house, &new).await, failed(), "too soon after the last fetch");
    house.idp.clock().advance(Duration::from_secs(30));
    assert_eq!(signed(&house, &new).await, proven());
    assert_eq!(signed(&house, &old).await, failed(), "taken out");
    assert_eq!(publisher.fetches(), 2);
    house.idp.clock().advance(Duration::from_mins(5));
    assert_eq!(signed(&house, &new).await, proven());
    assert_eq!(publisher.fetches(), 3, "looked at again");
}

#[tokio::test]
async fn unknown_keys_cannot_make_us_fetch() {
    let (good, flood) = (key(), key());
    let (publisher, house) = open(set(&[&good])).await;
    let answers = join_all((0..100).map(|_| signed(&house, &flood))).await;
    assert!(answers.iter().all(|answer| *answer == failed()));
    assert_eq!(publisher.fetches(), 1);
    assert_eq!(signed(&house, &good).await, proven(), "in the middle of it");
    house.idp.clock().advance(Duration::from_secs(30));
    join_all((0..100).map(|_| signed(&house, &flood))).await;
    assert_eq!(publisher.fetches(), 2);
}

#[tokio::test]
async fn who_goes_away_stops_no_fetch_and_begins_no_other() {
    let (old, new) = (key(), key());
    let (publisher, house) = open(set(&[&old])).await;
    assert_eq!(signed(&house, &old).await, proven());
    publisher.arrival().await;
    house.idp.clock().advance(Duration::from_secs(30));
    publisher.publish(&set(&[&old, &new]));
    publisher.hold();
    let asking = Box::pin(signed(&house, &new));
    // The answer is held back, so it is the arrival that comes first; the one who asked is dropped with the rest.
    assert!(matches!(future::select(asking, Box::pin(publisher.arrival())).await, future::Either::Right(_)));
    assert_eq!(signed(&house, &old).await, proven(), "a known key waits for nobody");
    publisher.release();
    assert_eq!(signed(&house, &new).await, proven());
    assert_eq!(publisher.fetches(), 2);
}

#[tokio::test]
async fn a_set_that_is_not_to_be_had_counts_a_while_longer() {
    let good = key();
    let (publisher, house) = open(Value::Null).await;
    let fail = || publisher.answer(StatusCode::INTERNAL_SERVER_ERROR, "", "");
    fail();
    for _ in 0..5 {
        assert_eq!(signed(&house, &good).await, failed());
    }
    assert_eq!(publisher.fetches(), 1, "failures are remembered");
    publisher.publish(&set(&[&good]));
    assert_eq!(signed(&house, &good).await, failed());
    house.idp.clock().advance(Duration::from_secs(30));
    assert_eq!(signed(&house, &good).await, proven());
    fail();
    house.idp.clock().advance(Duration::from_mins(30));
    assert_eq!(signed(&house, &good).await, proven(), "the client's trouble is not at once everybody's");
    assert_eq!(signed(&house, &good).await, proven());
    assert_eq!(publisher.fetches(), 3);
    house.idp.clock().advance(Duration::from_mins(30));
    assert_eq!(signed(&house, &good).await, failed(), "but it does not last for ever");
}

#[tokio::test]
async fn of_a_published_set_the_usable_keys_count() {
    let good = key();
    let odd = json!([
        good.jwk(), { "kty": "oct", "k": "AAAA" }, { "kty": "AKP" }, 7,
        { "kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": "weak" },
    ]);
    let (_, house) = open(json!({ "keys": odd })).await;
    assert_eq!(signed(&house, &good).await, proven());
}

/// What comes back instead of a set: nothing that was known before may be forgotten for it, and nothing is taken from it.
#[tokio::test]
async fn a_hostile_answer_is_no_set() {
    let (good, planted) = (key(), key());
    let (publisher, house) = open(set(&[&good])).await;
    let canary = Publisher::start(set(&[&planted])).await;
    let elsewhere = format!("http://{}/keys", canary.address);
    let padded = format!("{}{}", set(&[&planted]), " ".repeat(64 * 1024));
    let mut private = planted.jwk().clone();
    private["d"] = json!("AAAA");
    let private = json!({ "keys": [private] }).to_string();
    let empty = r#"{"keys":[]}"#;
    let deep = "[".repeat(60_000);
    assert_eq!(signed(&house, &good).await, proven());
    for (status, location, body) in [
        (200, "", padded.as_str()),
        (200, "", private.as_str()),
        (200, "", empty),
        (200, "", "[]"),
        (200, "", "<html>"),
        (200, "", deep.as_str()),
        (200, "", ""),
        (204, "", ""),
        (307, elsewhere.as_str(), ""),
        (302, "file:///etc/passwd", ""),
        (404, "", ""),
        (500, "", ""),
    ] {
        publisher.answer(StatusCode::from_u16(status).unwrap(), location, body);
        house.idp.clock().advance(Duration::from_secs(30));
        let before = publisher.fetches();
        assert_eq!(signed(&house, &planted).await, failed(), "{status} {location}");
        assert_eq!(publisher.fetches(), before + 1, "{status} {location}");
        assert_eq!(signed(&house, &good).await, proven(), "{status} {location}");
    }
    assert_eq!(canary.connections(), 0);
}

/// RFC 8725 §2.1 and §3.10: neither the algorithm nor the key is the sender's to choose.
#[tokio::test]
async fn a_hostile_assertion_finds_no_key() {
    let (good, own) = (key(), key());
    let (publisher, house) = open(set(&[&good])).await;
    let canary = Publisher::start(set(&[&own])).await;
    assert_eq!(signed(&house, &good).await, proven());
    let x = URL_SAFE_NO_PAD.decode(good.jwk()["x"].as_str().unwrap()).unwrap();
    let text = good.jwk().to_string();
    for secret in [text.as_bytes(), &x, b""] {
        for alg in ["HS256", "HS512", "ES256", "none"] {
            let assertion = mac(alg, secret, &claims(&house, "publisher"));
            assert_eq!(present(&house, &assertion).await, failed(), "{alg}");
        }
    }
    let elsewhere = format!("http://{}/keys", canary.address);
    let (kid, long) = (good.id().as_str(), "k".repeat(4000));
    for header in [
        json!({ "alg": "ES256", "jku": elsewhere }),
        json!({ "alg": "ES256", "kid": kid, "jku": elsewhere }),
        json!({ "alg": "ES256", "kid": elsewhere }),
        json!({ "alg": "ES256", "kid": kid, "jwk": own.jwk() }),
        json!({ "alg": "ES256", "x5u": elsewhere, "x5c": ["AAAA"] }),
        json!({ "alg": "ES256", "kid": "../../etc/passwd" }),
        json!({ "alg": "ES256", "kid": "' OR '1'='1" }),
        json!({ "alg": "ES256", "kid": "\u{0}" }),
        json!({ "alg": "ES256", "kid": "" }),
        json!({ "alg": "ES256", "kid": long }),
        json!({ "alg": "ES256", "kid": [kid] }),
        json!({ "alg": "ES256", "kid": null }),
        json!({ "alg": "RS256", "kid": kid }),
        json!({ "alg": "EdDSA", "kid": kid }),
        json!({ "alg": "es256", "kid": kid }),
        json!({ "alg": ["ES256"], "kid": kid }),
        json!({ "kid": kid }),
    ] {
        let assertion = headed(&house, &own, &header);
        assert_eq!(present(&house, &assertion).await, failed(), "{header}");
    }
    // Even of the right key nothing is accepted that demands to be understood, or says to be something else.
    for more in
        [json!({ "crit": ["exp"] }), json!({ "typ": "at+jwt" }), json!({ "b64": false, "crit": ["b64"] })]
    {
        let mut header = json!({ "alg": "ES256", "kid": kid });
        header.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        assert_eq!(present(&house, &headed(&house, &good, &header)).await, failed(), "{header}");
    }
    let plain = json!({ "alg": "ES256", "kid": kid, "jku": elsewhere });
    assert_eq!(
        present(&house, &headed(&house, &good, &plain)).await,
        proven(),
        "what is not read does no harm"
    );
    assert_eq!((canary.connections(), publisher.fetches()), (0, 1));
}

#[tokio::test]
async fn the_registered_algorithm_is_the_only_one() {
    let (elliptic, edwards) = (key(), SigningKey::generate(SigningAlgorithm::EdDsa).unwrap());
    let publisher = Publisher::start(set(&[&elliptic, &edwards])).await;
    let client = format!(
        r#"
        [[clients]]
        client_id = "publisher"
        token_endpoint_auth_method = "private_key_jwt"
        token_endpoint_auth_signing_alg = "EdDSA"
        jwks_uri = "http://{}/keys"
        redirect_uris = ["https://publisher.test/callback"]
        "#,
        publisher.address
    );
    let house = publisher.house(&client).await;
    assert_eq!(signed(&house, &edwards).await, proven());
    assert_eq!(signed(&house, &elliptic).await, failed());
}

/// RFC 9101: request objects are signed with the same keys.
#[tokio::test]
async fn request_objects_too() {
    let (good, stranger) = (key(), key());
    let (publisher, house) = open(set(&[&good])).await;
    let now = house.idp.idp().now().unix();
    let object = |key: &SigningKey| {
        let claims = json!({
            "iss": "publisher", "aud": "https://id.test", "exp": now + 300, "client_id": "publisher",
            "response_type": "code", "redirect_uri": "https://publisher.test/callback", "scope": "openid",
        });
        let object = jwt::sign(key, "oauth-authz-req+jwt", &claims).unwrap();
        form(&[("client_id", "publisher"), ("request", &object)])
    };
    assert!(house.validate(&object(&good)).await.is_ok());
    for _ in 0..5 {
        assert!(house.validate(&object(&stranger)).await.is_err());
    }
    assert_eq!(publisher.fetches(), 1);
}

/// Attack 99: an address inside is refused when it is registered.
#[tokio::test]
async fn nothing_inside_is_fetched() {
    let canary = Publisher::start(set(&[&key()])).await;
    let port = canary.address.rsplit(':').next().unwrap();
    let client = |uri: &str| {
        format!(
            "[[clients]]\nclient_id = \"publisher\"\ntoken_endpoint_auth_method = \"private_key_jwt\"\n\
             redirect_uris = [\"https://publisher.test/callback\"]\njwks_uri = \"{uri}\"\n"
        )
    };
    let house = House::new().await;
    for inside in [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "0",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.1.1",
        "169.254.169.254",
        "100.100.100.200",
        "168.63.129.16",
        "[fe80::1]",
        "[fd00:ec2::254]",
        "localhost",
        "keys.localhost",
    ] {
        let refused = house.idp.idp().apply(&client(&format!("https://{inside}:{port}/keys"))).await;
        let text = refused.unwrap_err().to_string();
        assert!(text.contains("clients[0].jwks_uri: the address is not public"), "{inside}: {text}");
    }
    for plain in ["http://keys.example.com/", "http://localhost/", "http://127.0.0.1/"] {
        let text = house.idp.idp().apply(&client(plain)).await.unwrap_err().to_string();
        assert!(text.contains("clients[0].jwks_uri: only https"), "{plain}: {text}");
    }
    assert_eq!(canary.connections(), 0);
}
