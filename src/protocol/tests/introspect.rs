//! RFC 7662, RFC 9701: what a token means, and who may know.

use std::time::Duration;

use axum::http::Method;
use serde_json::{Value, json};

use super::{House, OFFICE_SECRET, error, form, part, refused};
use crate::crypto::jwt;
use crate::domain::client::SigningAlgorithm;
use crate::domain::ids::GrantId;
use crate::storage::grants;
use crate::testing::{Answer, Application};

const WORLD: &str = r#"
    [[clients]]
    client_id = "buyer"
    client_secret = "a secret: 100% of +it & more = 32 characters"
    redirect_uris = ["https://buyer.test/callback"]
    audiences = ["https://orders.test"]
    [[clients]]
    client_id = "veiled"
    client_secret = "a secret: 100% of +it & more = 32 characters"
    redirect_uris = ["https://veiled.test/callback"]
    audiences = ["https://orders.test"]
    grant_types = ["authorization_code", "refresh_token"]
    access_token_format = "opaque"
    userinfo_signed_response_alg = "ES256"
    [[clients]]
    client_id = "orders"
    client_secret = "a secret: 100% of +it & more = 32 characters"
    grant_types = []
    own_audiences = ["https://orders.test"]
    introspection_signed_response_alg = "EdDSA"
    [[clients]]
    client_id = "robot"
    client_secret = "a secret: 100% of +it & more = 32 characters"
    grant_types = ["client_credentials"]
    audiences = ["https://orders.test"]
    scope = "orders:read"
    [[clients]]
    client_id = "veiled-robot"
    client_secret = "a secret: 100% of +it & more = 32 characters"
    grant_types = ["client_credentials"]
    audiences = ["https://orders.test"]
    access_token_format = "opaque"
    [[clients]]
    client_id = "stock"
    client_secret = "a secret: 100% of +it & more = 32 characters"
    grant_types = []
    own_audiences = ["https://stock.test"]
"#;

const NOTHING: &str = r#"{"active":false}"#;

async fn house() -> House {
    House::with(WORLD).await
}

fn app(house: &House, id: &str) -> Application {
    house.idp.application(id, &format!("https://{id}.test/callback")).secret(OFFICE_SECRET)
}

/// A token of this client, for the orders and for UserInfo.
async fn access(house: &House, id: &str) -> String {
    let url = app(house, id).authorization_url_with("openid email", &[("resource", "https://orders.test")]);
    let answer = app(house, id).token(&house.code(&url).await).await;
    answer.json()["access_token"].as_str().unwrap().to_owned()
}

async fn ask(house: &House, caller: &str, token: &str) -> Answer {
    ask_for(house, caller, token, "application/json").await
}

async fn ask_for(house: &House, caller: &str, token: &str, accept: &str) -> Answer {
    use base64::Engine;
    use url::form_urlencoded::byte_serialize;

    let secret: String = byte_serialize(OFFICE_SECRET.as_bytes()).collect();
    let encoded = base64::engine::general_purpose::STANDARD.encode(format!("{caller}:{secret}"));
    let basic = format!("Basic {encoded}");
    let headers = [
        ("content-type", "application/x-www-form-urlencoded"),
        ("accept", accept),
        ("authorization", basic.as_str()),
    ];
    house.send(Method::POST, "/introspect", &headers, &form(&[("token", token)])).await
}

async fn is_nothing(house: &House, caller: &str, token: &str) {
    let answer = ask(house, caller, token).await;
    assert_eq!((answer.status.as_u16(), answer.body.as_str()), (200, NOTHING), "{caller} {token}");
}

#[tokio::test]
async fn both_formats_mean_the_same_to_the_client_and_to_the_api() {
    let house = house().await;
    let now = house.idp.idp().now().unix();
    for holder in ["buyer", "veiled"] {
        let access = access(&house, holder).await;
        assert_eq!(access.contains('.'), holder == "buyer", "{access}");
        for caller in [holder, "orders"] {
            let answer = ask(&house, caller, &access).await;
            assert_eq!(answer.headers["cache-control"], "no-store");
            assert_eq!(answer.headers["content-type"], "application/json");
            let mut meaning = answer.json();
            for name in ["jti", "grant"] {
                assert_eq!(meaning[name].take().as_str().map(str::len), Some(36), "{name}");
            }
            let expected = json!({
                "active": true, "iss": "https://id.test", "sub": house.anna, "client_id": holder,
                "aud": ["https://id.test", "https://orders.test"], "scope": "email openid",
                "token_type": "Bearer", "username": "anna", "iat": now, "exp": now + 300, "auth_time": now,
                "acr": "urn:vestibule:acr:2fa", "amr": ["pwd", "otp", "mfa"], "jti": null, "grant": null,
            });
            assert_eq!(meaning, expected);
        }
        // Attack 94: whoever the token is not meant for.
        for caller in ["stock", "office", if holder == "buyer" { "veiled" } else { "buyer" }] {
            is_nothing(&house, caller, &access).await;
        }
        assert_eq!(app(&house, holder).userinfo(&access).await.status, 200);
    }
}

#[tokio::test]
async fn what_has_ended_is_inactive() {
    let house = house().await;
    for holder in ["buyer", "veiled"] {
        let access = access(&house, holder).await;
        let grant = GrantId::new(ask(&house, holder, &access).await.json()["grant"].as_str().unwrap());
        let now = house.idp.idp().now();
        let write = house.idp.idp().db().write(move |tx| {
            let grant = grant.clone();
            Box::pin(async move { grants::revoke(tx, &grant, now).await })
        });
        assert!(write.await.unwrap());
        is_nothing(&house, holder, &access).await;
        assert_eq!(error(&app(&house, holder).userinfo(&access).await), refused(401, "invalid_token"));
    }
    for holder in ["buyer", "veiled"] {
        let late = access(&house, holder).await;
        house.idp.clock().advance(Duration::from_secs(299));
        assert_eq!(ask(&house, holder, &late).await.json()["active"], true);
        house.idp.clock().advance(Duration::from_secs(1));
        is_nothing(&house, holder, &late).await;
    }
    let theirs = [access(&house, "buyer").await, access(&house, "veiled").await];
    house
        .idp
        .idp()
        .apply("[[users]]\ntenant = \"one.test\"\nusername = \"anna\"\ndisabled = true")
        .await
        .unwrap();
    for access in &theirs {
        is_nothing(&house, "orders", access).await;
    }
    house
        .idp
        .idp()
        .apply("[[users]]\ntenant = \"one.test\"\nusername = \"anna\"\ndisabled = false")
        .await
        .unwrap();
    for (holder, before) in ["buyer", "veiled"].into_iter().zip(&theirs) {
        is_nothing(&house, "orders", before).await;
        let access = &access(&house, holder).await;
        assert_eq!(ask(&house, "orders", access).await.json()["active"], true);
        let disabled = format!("[[clients]]\nclient_id = \"{holder}\"\ndisabled = true");
        house.idp.idp().apply(&disabled).await.unwrap();
        is_nothing(&house, "orders", access).await;
    }
}

/// Attacks 92, 207, and of 95 that every miss has the same bytes: nothing is throttled. None is a fault. Which of the
/// checks refused a forged header cannot be told apart here; attacks 70 to 77 are shown one by one in `crypto::jwt`.
#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table of guesses")]
async fn every_miss_is_the_same() {
    let house = house().await;
    let (access, veiled) = (access(&house, "buyer").await, access(&house, "veiled").await);
    let (_, id) = house.tokens("openid").await;
    let key = house.idp.idp().signing_key(&super::root(), SigningAlgorithm::Rs256).await.unwrap();
    let changed = |name: &str, value: Value| {
        let mut claims = part(&access, 1);
        claims.insert(name.to_owned(), value);
        jwt::sign(&key, "at+jwt", &claims).unwrap()
    };
    let (message, signature) = access.rsplit_once('.').unwrap();
    let payload = message.split_once('.').unwrap().1;
    let unsigned = |header: &str| {
        use base64::Engine;
        let header = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(header);
        format!("{header}.{payload}.")
    };
    let mut guesses = vec![
        "x".to_owned(),
        "a.b.c".to_owned(),
        "\u{1F600}".to_owned(),
        id,
        message.to_owned(),
        format!("{access}A"),
        format!("{access} "),
        format!(" {veiled}"),
        format!("{veiled}A"),
        veiled[1..].to_owned(),
        format!("at_{}", "A".repeat(43)),
        format!("at_{}", "'".repeat(43)),
        format!("at_{}", "A".repeat(10_000)),
        "A".repeat(60_000),
        ".".repeat(60_000),
        format!("{message}.{}", signature.replace(|_| true, "A")),
        unsigned(r#"{"alg":"none","typ":"at+jwt"}"#),
        unsigned(r#"{"alg":"HS256","typ":"at+jwt"}"#),
        unsigned(r#"{"alg":"RS256","typ":"at+jwt","crit":["exp"],"exp":1}"#),
        jwt::sign(&key, "JWT", &part(&access, 1)).unwrap(),
        jwt::sign(&key, "token-introspection+jwt", &part(&access, 1)).unwrap(),
    ];
    for (name, value) in [
        ("aud", json!(null)),
        ("aud", json!([])),
        ("aud", json!({})),
        ("aud", json!("buyer")),
        ("aud", json!([7])),
        ("exp", json!(-1)),
        ("exp", json!(1e300)),
        ("exp", json!("1")),
        ("exp", json!(u64::MAX)),
        ("iss", json!("https://id.test/t/one.test")),
        ("grant", json!("nobody's")),
        ("grant", json!(null)),
        ("scope", json!(["openid"])),
        ("client_id", json!(7)),
        ("sub", json!("")),
        ("sub", json!(7)),
        ("jti", json!(null)),
        ("acr", json!("x")),
    ] {
        guesses.push(changed(name, value));
    }
    for guess in &guesses {
        is_nothing(&house, "buyer", guess).await;
        // In a header, space around a token is nothing.
        if guess.trim() == guess {
            assert!(house.shop().userinfo(guess).await.status.is_client_error(), "{guess}");
        }
    }
}

#[tokio::test]
async fn only_a_client_that_proves_itself_may_ask() {
    let house = house().await;
    let access = access(&house, "buyer").await;
    let form_only = ("content-type", "application/x-www-form-urlencoded");
    let wrong = ("authorization", "Basic YnV5ZXI6d3Jvbmc=");
    let bearer = format!("Bearer {access}");
    for (headers, body) in [
        (vec![form_only], form(&[("token", &access)])),
        (vec![form_only], form(&[("token", &access), ("client_id", "shop")])),
        (vec![form_only], form(&[("token", &access), ("client_id", "buyer")])),
        (vec![form_only, wrong], form(&[("token", &access)])),
        (vec![form_only, ("authorization", &bearer)], form(&[("token", &access)])),
    ] {
        let answer = house.send(Method::POST, "/introspect", &headers, &body).await;
        assert_eq!(error(&answer), refused(401, "invalid_client"), "{headers:?} {body}");
        assert!(answer.headers.contains_key("www-authenticate"));
    }
    let answer = ask(&house, "buyer", "").await;
    assert_eq!(error(&answer), refused(400, "invalid_request"));
    let twice = form(&[("token", &access), ("token", "x")]);
    let answer = house.send(Method::POST, "/introspect", &[form_only, wrong], &twice).await;
    assert_eq!(error(&answer), refused(400, "invalid_request"));
}

#[tokio::test]
async fn a_token_is_told_of_where_it_was_issued() {
    let house = house().await;
    let veiled = access(&house, "veiled").await;
    // The root's clients are nobody at a tenant's issuer.
    let basic =
        [("content-type", "application/x-www-form-urlencoded"), ("authorization", "Basic b2ZmaWNlOng=")];
    let answer =
        house.send(Method::POST, "/t/one.test/introspect", &basic, &form(&[("token", &veiled)])).await;
    assert_eq!(error(&answer), refused(401, "invalid_client"));
}

#[tokio::test]
async fn an_answer_can_be_signed() {
    const JWT: &str = "application/token-introspection+jwt";
    let house = house().await;
    let access = access(&house, "veiled").await;
    for (token, active) in [(access.as_str(), true), ("x", false)] {
        let answer = ask_for(&house, "orders", token, &format!("text/html, {JWT};q=0.9")).await;
        assert_eq!((answer.status.as_u16(), answer.headers["content-type"].to_str().unwrap()), (200, JWT));
        let header = part(&answer.body, 0);
        assert_eq!((&header["typ"], &header["alg"]), (&json!("token-introspection+jwt"), &json!("EdDSA")));
        let claims = part(&answer.body, 1);
        assert_eq!((&claims["iss"], &claims["aud"]), (&json!("https://id.test"), &json!("orders")));
        assert_eq!(claims["iat"], house.idp.idp().now().unix());
        assert_eq!(claims["token_introspection"]["active"], active);
        assert_eq!(claims.len(), 4);
        if !active {
            assert_eq!(claims["token_introspection"], json!({ "active": false }));
        }
        // It is no token itself.
        is_nothing(&house, "orders", &answer.body).await;
        assert_eq!(house.shop().userinfo(&answer.body).await.status, 401);
    }
}

#[tokio::test]
async fn userinfo_can_be_signed() {
    let house = house().await;
    let access = access(&house, "veiled").await;
    let answer = app(&house, "veiled").userinfo(&access).await;
    assert_eq!(answer.headers["content-type"], "application/jwt");
    assert_eq!(part(&answer.body, 0)["alg"], "ES256");
    let expected = json!({
        "iss": "https://id.test", "aud": "veiled", "sub": house.anna,
        "email": "anna@example.test",
    });
    assert_eq!(Value::Object(part(&answer.body, 1)), expected);
    let hint = app(&house, "veiled").authorization_url_with("openid", &[("id_token_hint", &answer.body)]);
    assert!(house.validate(hint.split_once('?').unwrap().1).await.is_err(), "it is no ID token");
    is_nothing(&house, "veiled", &answer.body).await;
}

/// Whether it hits or misses: one statement, and nothing written.
#[tokio::test]
async fn it_costs_one_read() {
    let house = house().await;
    let (access, veiled) = (access(&house, "buyer").await, access(&house, "veiled").await);
    let guess = format!("at_{}", "A".repeat(43));
    for (token, cost) in [(access.as_str(), 1), (&veiled, 1), (&guess, 1), ("x", 0)] {
        ask(&house, "orders", token).await;
        let before = house.idp.cost();
        ask(&house, "orders", token).await;
        let spent = house.idp.cost() - before;
        assert_eq!((spent.statements, spent.writes), (cost, 0), "{token}");
    }
    for (holder, token) in [("buyer", &access), ("veiled", &veiled)] {
        // The first makes the key, the second reads again what that has made old.
        app(&house, holder).userinfo(token).await;
        app(&house, holder).userinfo(token).await;
        let before = house.idp.cost();
        assert_eq!(app(&house, holder).userinfo(token).await.status, 200);
        let spent = house.idp.cost() - before;
        assert_eq!((spent.statements, spent.writes), (1, 0), "{holder}");
    }
}

/// Attack 93, and the same for both formats.
#[tokio::test]
async fn a_clients_own_token_is_the_clients() {
    let house = house().await;
    for holder in ["robot", "veiled-robot"] {
        let request = [("grant_type", "client_credentials"), ("resource", "https://orders.test")];
        let answer = app(&house, holder).token_with(&request).await;
        let access = answer.json()["access_token"].as_str().unwrap().to_owned();
        assert_eq!(access.contains('.'), holder == "robot");
        let meaning = ask(&house, "orders", &access).await.json();
        assert_eq!((&meaning["active"], &meaning["aud"]), (&json!(true), &json!("https://orders.test")));
        assert_eq!((&meaning["sub"], &meaning["client_id"]), (&json!(holder), &json!(holder)));
        assert!(meaning.get("username").is_none() && meaning.get("acr").is_none());
        is_nothing(&house, "stock", &access).await;
        assert_eq!(error(&app(&house, holder).userinfo(&access).await), refused(401, "invalid_token"));

        let answer = app(&house, holder).token_with(&request[..1]).await;
        let for_us = answer.json()["access_token"].as_str().unwrap().to_owned();
        assert_eq!(error(&app(&house, holder).userinfo(&for_us).await), refused(403, "insufficient_scope"));
        is_nothing(&house, "orders", &for_us).await;
        let other = [request[0], ("resource", "https://stock.test")];
        assert_eq!(error(&app(&house, holder).token_with(&other).await), refused(400, "invalid_target"));

        let disabled = format!("[[clients]]\nclient_id = \"{holder}\"\ndisabled = true");
        house.idp.idp().apply(&disabled).await.unwrap();
        is_nothing(&house, "orders", &access).await;
    }
}

#[tokio::test]
async fn a_refresh_token_is_told_of_to_its_client_alone() {
    let house = house().await;
    let veiled = app(&house, "veiled");
    let url = veiled.authorization_url_with("openid", &[("resource", "https://orders.test")]);
    let tokens = veiled.token(&house.code(&url).await).await.json();
    let first = tokens["refresh_token"].as_str().unwrap();
    ask(&house, "veiled", first).await;
    let before = house.idp.cost();
    let meaning = ask(&house, "veiled", first).await.json();
    assert_eq!((house.idp.cost() - before).statements, 1);
    assert_eq!((&meaning["active"], &meaning["sub"]), (&json!(true), &json!(house.anna)));
    assert_eq!((&meaning["client_id"], &meaning["scope"]), (&json!("veiled"), &json!("openid")));
    assert!(meaning.get("token_type").is_none(), "it opens nothing");
    for caller in ["orders", "buyer"] {
        is_nothing(&house, caller, first).await;
    }

    // What was not granted costs no token.
    let refresh = |resource: &'static str| {
        [("grant_type", "refresh_token"), ("refresh_token", first), ("resource", resource)]
    };
    assert_eq!(
        error(&veiled.token_with(&refresh("https://stock.test")).await),
        refused(400, "invalid_target")
    );
    assert_eq!(ask(&house, "veiled", first).await.json()["active"], true);
    let second = veiled.token_with(&refresh("https://orders.test")).await.json();
    is_nothing(&house, "veiled", first).await;
    let access = second["access_token"].as_str().unwrap();
    assert_eq!(ask(&house, "orders", access).await.json()["aud"], "https://orders.test");

    // An API that was taken out of the registration is no target any more.
    house.idp.idp().apply("[[clients]]\nclient_id = \"veiled\"\naudiences = []").await.unwrap();
    let next = second["refresh_token"].as_str().unwrap();
    let third = veiled.token_with(&[("grant_type", "refresh_token"), ("refresh_token", next)]).await.json();
    let access = third["access_token"].as_str().unwrap();
    assert_eq!(ask(&house, "veiled", access).await.json()["aud"], "https://id.test");
}

/// As a JWT says by its `iat`: a clock that was set back makes no token of a time that is not yet good.
#[tokio::test]
async fn an_opaque_token_of_the_future_is_none() {
    let house = house().await;
    house.idp.clock().advance(Duration::from_hours(2));
    let token = access(&house, "veiled").await;
    assert_eq!(app(&house, "veiled").userinfo(&token).await.status, 200);
    house.idp.clock().set_back(Duration::from_hours(1));
    assert_eq!(app(&house, "veiled").userinfo(&token).await.status, 401);
    assert_eq!(ask(&house, "orders", &token).await.body, NOTHING);
}
