//! RFC 6749 §2.3 and §3.2, OpenID Connect Core §9, RFC 7523: who may ask the token endpoint, and how.

use std::time::Duration;

use axum::http::Method;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::future::join_all;
use serde_json::{Map, Value, json};

use super::{House, OFFICE_SECRET, POSTER_SECRET, error, form, refused};
use crate::crypto::jwt;
use crate::crypto::keys::SigningKey;
use crate::domain::client::SigningAlgorithm;

const GRANT: (&str, &str) = ("grant_type", "authorization_code");
const CODE: (&str, &str) = ("code", "unknown");
const ASSERTION_TYPE: (&str, &str) =
    ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");

type Pairs<'a> = &'a [(&'a str, &'a str)];

/// A client that proved itself gets as far as its unknown code.
fn proven() -> (u16, String) {
    refused(400, "invalid_grant")
}

fn basic(pair: &str) -> String {
    format!("Basic {}", STANDARD.encode(pair))
}

#[tokio::test]
async fn each_client_by_its_registered_method() {
    let house = House::new().await;
    let encoded = form(&[("office", OFFICE_SECRET)]).replacen('=', ":", 1);
    let good = basic(&encoded);
    let poster = basic(&form(&[("poster", POSTER_SECRET)]).replacen('=', ":", 1));
    let office = [("client_id", "office"), ("client_secret", OFFICE_SECRET)];
    let table: [(Pairs<'_>, Pairs<'_>, (u16, String)); 12] = [
        (&[("authorization", &good)], &[], proven()),
        (&[("authorization", &good)], &[("client_id", "office")], proven()),
        (&[("authorization", &good)], &[("client_id", "shop")], refused(400, "invalid_request")),
        (&[("authorization", &good)], &office, refused(400, "invalid_request")),
        (&[("authorization", &good), ("authorization", &good)], &[], refused(400, "invalid_request")),
        (&[], &office, refused(401, "invalid_client")),
        (&[], &[("client_id", "office")], refused(401, "invalid_client")),
        (&[], &[], refused(401, "invalid_client")),
        (&[], &[("client_id", "poster"), ("client_secret", POSTER_SECRET)], proven()),
        (&[], &[("client_id", "poster"), ("client_secret", "wrong")], refused(401, "invalid_client")),
        (&[("authorization", &poster)], &[], refused(401, "invalid_client")),
        (&[], &[("client_id", "shop")], proven()),
    ];
    for (headers, parameters, expected) in table {
        let answer = house.token(headers, &[&[GRANT, CODE], parameters].concat()).await;
        assert_eq!(error(&answer), expected, "{headers:?} {parameters:?}");
        assert_eq!(answer.headers["cache-control"], "no-store");
        assert_eq!(answer.headers.contains_key("www-authenticate"), expected.0 == 401);
    }
}

const UNREGISTERED: &str = r#"
    [[clients]]
    client_id = "django"
    client_secret = "100%25-of+this:secret is at-least 32 characters"
    redirect_uris = ["https://django.test/callback"]
"#;

/// A client that registered no method may use Basic or the form, one of them per request; what it sends by Basic may be
/// encoded or raw.
#[tokio::test]
async fn a_method_left_out_is_basic_or_post() {
    let house = House::with(UNREGISTERED).await;
    let secret = "100%25-of+this:secret is at-least 32 characters";
    let encoded = basic(&form(&[("django", secret)]).replacen('=', ":", 1));
    let raw = basic(&format!("django:{secret}"));
    let half = basic("django:100%25-of%2Bthis:secret+is+at-least+32+characters");
    let decoded = basic("django:100%-of this:secret is at-least 32 characters");
    let in_form = [("client_id", "django"), ("client_secret", secret)];
    let wrong_form =
        [("client_id", "django"), ("client_secret", "100%-of this:secret is at-least 32 characters")];
    let failed = refused(401, "invalid_client");
    let table: [(Pairs<'_>, Pairs<'_>, (u16, String)); 9] = [
        (&[("authorization", &encoded)], &[], proven()),
        (&[("authorization", &raw)], &[], proven()),
        (&[], &in_form, proven()),
        (&[("authorization", &raw)], &in_form, refused(400, "invalid_request")),
        (&[("authorization", &half)], &[], failed.clone()),
        (&[("authorization", &decoded)], &[], failed.clone()),
        (&[], &wrong_form, failed.clone()),
        (&[], &[("client_id", "django")], failed.clone()),
        (&[], &[("client_id", "django"), ASSERTION_TYPE, ("client_assertion", "a.b.c")], failed),
    ];
    for (headers, parameters, expected) in table {
        let answer = house.token(headers, &[&[GRANT, CODE], parameters].concat()).await;
        assert_eq!(error(&answer), expected, "{headers:?} {parameters:?}");
    }
}

/// The client id selects the client, so it has one reading: the decoded one.
#[tokio::test]
async fn a_client_id_sent_raw_is_decoded_all_the_same() {
    let clients = r#"
    [[clients]]
    client_id = "a+b"
    client_secret = "a-secret-of-at-least-32-characters"
    redirect_uris = ["https://raw.test/callback"]
    "#;
    let house = House::with(clients).await;
    for (id, expected) in [("a%2Bb", proven()), ("a+b", refused(401, "invalid_client"))] {
        let header = basic(&format!("{id}:a-secret-of-at-least-32-characters"));
        let answer = house.token(&[("authorization", &header)], &[GRANT, CODE]).await;
        assert_eq!(error(&answer), expected, "{id}");
    }
}

#[tokio::test]
async fn broken_headers_are_failed_authentications() {
    let house = House::new().await;
    let long = basic(&"x".repeat(20_000));
    for header in
        ["Basic", "Basic !", "Bearer x", "Digest x", &basic("office"), &basic("office:"), &basic(":"), &long]
    {
        let answer = house.token(&[("authorization", header)], &[GRANT, CODE]).await;
        assert_eq!(error(&answer), refused(401, "invalid_client"), "{header}");
        assert!(answer.headers["www-authenticate"].to_str().unwrap().starts_with("Basic "));
    }
}

#[tokio::test]
async fn the_endpoint_takes_a_posted_form_and_nothing_else() {
    let house = House::new().await;
    let body = form(&[("client_id", "shop"), GRANT, CODE]);
    let form_type = [("content-type", "application/x-www-form-urlencoded; charset=UTF-8")];
    assert_eq!(house.send(Method::GET, "/token", &form_type, &body).await.status, 405);
    assert_eq!(error(&house.send(Method::POST, "/token", &form_type, &body).await), proven());
    for content_type in ["application/json", "multipart/form-data; boundary=x", "text/plain"] {
        let answer = house.send(Method::POST, "/token", &[("content-type", content_type)], &body).await;
        assert_eq!(error(&answer), refused(415, "invalid_request"), "{content_type}");
    }
    let invalid = refused(400, "invalid_request");
    for path in ["/token", "/introspect", "/revoke", "/par"] {
        let json = house.send(Method::POST, path, &[("content-type", "application/json")], &body).await;
        assert_eq!(error(&json), refused(415, "invalid_request"), "{path}");
        let in_query = house.send(Method::POST, &format!("{path}?client_id=shop"), &form_type, &body).await;
        assert_eq!(error(&in_query), invalid, "{path}");
        for more in ["code=x", "client_id=shop", "a=%ff"] {
            let answer = house.send(Method::POST, path, &form_type, &format!("{body}&{more}")).await;
            assert_eq!(error(&answer), invalid, "{path} {more}");
        }
        let nobody = form(&[("client_id", "nobody"), GRANT, CODE]);
        let answer = house.send(Method::POST, path, &form_type, &nobody).await;
        assert_eq!(error(&answer), refused(401, "invalid_client"), "{path}");
    }
}

#[tokio::test]
async fn grant_types() {
    let house = House::new().await;
    for (grant_type, expected) in [
        (None, refused(400, "invalid_request")),
        (Some("password"), refused(400, "unsupported_grant_type")),
        (Some("implicit"), refused(400, "unsupported_grant_type")),
        (Some("client_credentials"), refused(400, "unauthorized_client")),
    ] {
        let mut parameters = vec![("client_id", "shop")];
        parameters.extend(grant_type.map(|name| ("grant_type", name)));
        assert_eq!(error(&house.token(&[], &parameters).await), expected, "{grant_type:?}");
    }
    let without_code = house.token(&[], &[("client_id", "shop"), GRANT]).await;
    assert_eq!(error(&without_code), refused(400, "invalid_request"));
}

/// A client with a key pair of its own.
struct Signer {
    house: House,
    key: SigningKey,
}

impl Signer {
    async fn new() -> Self {
        let key = SigningKey::generate(SigningAlgorithm::Es256).unwrap();
        let jwk = key.jwk();
        let member = |name: &str| format!("{name} = {}", jwk[name]);
        let members = ["kty", "crv", "x", "y", "kid", "use", "alg"].map(member).join(", ");
        let client = format!(
            r#"
    [[clients]]
    client_id = "signer"
    token_endpoint_auth_method = "private_key_jwt"
    redirect_uris = ["https://signer.test/callback"]
    jwks = {{ keys = [{{ {members} }}] }}
"#
        );
        Self { house: House::with(&client).await, key }
    }

    fn claims(&self) -> Map<String, Value> {
        let now = self.house.idp.idp().now().unix();
        let claims = json!({
            "iss": "signer", "sub": "signer", "aud": "https://id.test", "iat": now, "exp": now + 60,
            "jti": crate::crypto::random::uuid(),
        });
        claims.as_object().unwrap().clone()
    }

    fn assertion(&self, name: &str, value: Value) -> String {
        let mut claims = self.claims();
        if value.is_null() {
            claims.remove(name)
        } else {
            claims.insert(name.to_owned(), value)
        };
        jwt::sign(&self.key, "JWT", &claims).unwrap()
    }

    async fn present(&self, assertion: &str, more: &[(&str, &str)]) -> (u16, String) {
        let parameters = [&[GRANT, CODE, ASSERTION_TYPE, ("client_assertion", assertion)], more].concat();
        error(&self.house.token(&[], &parameters).await)
    }
}

#[tokio::test]
async fn an_assertion_proves_its_client() {
    let signer = Signer::new().await;
    let now = signer.house.idp.idp().now().unix();
    for (name, value) in [
        ("aud", json!("https://id.test")),
        ("aud", json!("https://id.test/token")),
        ("aud", json!("https://id.test/par")),
        ("aud", json!(["https://id.test"])),
        ("aud", json!(["https://id.test/token", "https://id.test"])),
        ("exp", json!(now + 3600)),
        ("exp", json!(now - 30)),
        ("nbf", json!(now + 30)),
        ("iat", Value::Null),
    ] {
        let assertion = signer.assertion(name, value.clone());
        assert_eq!(signer.present(&assertion, &[("client_id", "signer")]).await, proven(), "{name} {value}");
    }
}

#[tokio::test]
async fn an_assertion_that_says_anything_else_does_not() {
    let signer = Signer::new().await;
    let now = signer.house.idp.idp().now().unix();
    for (name, value) in [
        ("aud", json!("https://id.test/")),
        ("aud", json!("https://id.test/t/one.test")),
        ("aud", json!("https://id.test/userinfo")),
        ("aud", json!([])),
        ("aud", json!(["https://id.test", "https://id.test/userinfo"])),
        ("aud", json!(["https://id.test", "https://other.test"])),
        ("aud", Value::Null),
        ("iss", json!("shop")),
        ("iss", Value::Null),
        ("sub", json!("shop")),
        ("sub", json!("office")),
        ("sub", Value::Null),
        ("exp", Value::Null),
        ("exp", json!(now + 48 * 3600)),
        ("exp", json!(now - 61)),
        ("exp", json!("soon")),
        ("nbf", json!(now + 600)),
        ("iat", json!(now + 600)),
        ("jti", Value::Null),
        ("jti", json!("")),
        ("jti", json!(7)),
    ] {
        let assertion = signer.assertion(name, value.clone());
        assert_eq!(signer.present(&assertion, &[]).await, refused(401, "invalid_client"), "{name} {value}");
    }
    let other = SigningKey::generate(SigningAlgorithm::Es256).unwrap();
    let foreign = jwt::sign(&other, "JWT", &signer.claims()).unwrap();
    let access_token = jwt::sign(&signer.key, "at+jwt", &signer.claims()).unwrap();
    let good = signer.assertion("aud", json!("https://id.test"));
    let payload = good.split('.').nth(1).unwrap();
    let unsigned = format!("eyJhbGciOiJub25lIn0.{payload}.");
    for assertion in [&foreign, &access_token, &unsigned, "x", "a.b.c"] {
        assert_eq!(signer.present(assertion, &[]).await, refused(401, "invalid_client"), "{assertion}");
    }
    let secret = [("client_id", "signer"), ("client_secret", "x")];
    assert_eq!(signer.present(&good, &secret).await, refused(400, "invalid_request"));
    assert_eq!(signer.present(&good, &[("client_id", "shop")]).await, refused(400, "invalid_request"));
    assert_eq!(signer.present(&good, &[]).await, proven());
}

#[tokio::test]
async fn an_assertion_counts_once() {
    let signer = Signer::new().await;
    let assertion = signer.assertion("exp", json!(signer.house.idp.idp().now().unix() + 3600));
    let mut answers = join_all((0..8).map(|_| signer.present(&assertion, &[]))).await;
    answers.sort();
    assert_eq!(answers.first(), Some(&proven()));
    assert!(answers.iter().skip(1).all(|answer| *answer == refused(401, "invalid_client")), "{answers:?}");
    signer.house.idp.clock().advance(Duration::from_secs(3590));
    signer.house.idp.idp().sweep().await.unwrap();
    assert_eq!(signer.present(&assertion, &[]).await, refused(401, "invalid_client"));
}
