//! RFC 6750 and OpenID Connect Core §5.3: what an access token opens.

use std::time::Duration;

use axum::http::Method;
use serde_json::{Value, json};

use super::{House, error, form, part, refused};
use crate::crypto::jwt;
use crate::domain::client::SigningAlgorithm;

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

#[tokio::test]
async fn the_token_comes_in_a_header_or_a_posted_form() {
    let house = House::new().await;
    let (access, _) = house.tokens("openid email").await;
    let (bearer, body) = (format!("Bearer {access}"), form(&[("access_token", &access)]));
    let expected = json!({ "sub": house.anna, "email": "anna@example.test" });
    for (method, headers, body) in [
        (Method::GET, vec![("authorization", bearer.as_str())], ""),
        (Method::POST, vec![("authorization", bearer.as_str())], ""),
        (Method::POST, vec![("authorization", bearer.as_str()), FORM], ""),
        (Method::POST, vec![FORM], body.as_str()),
    ] {
        let answer = house.send(method, "/userinfo", &headers, body).await;
        assert_eq!((answer.status.as_u16(), answer.json()), (200, expected.clone()));
        assert_eq!(answer.headers["content-type"], "application/json");
        assert_eq!(answer.headers["cache-control"], "no-store");
    }
}

#[tokio::test]
async fn it_comes_once_and_never_in_the_address() {
    let house = House::new().await;
    let (access, _) = house.tokens("openid").await;
    let (bearer, body) = (format!("bearer {access}"), form(&[("access_token", &access)]));
    let header = ("authorization", bearer.as_str());
    let in_query = format!("/userinfo?{body}");
    for (path, headers, body) in [
        ("/userinfo", vec![header, FORM], body.clone()),
        ("/userinfo", vec![header, header], String::new()),
        ("/userinfo", vec![FORM], format!("{body}&{body}")),
        (in_query.as_str(), vec![], String::new()),
        (in_query.as_str(), vec![header], String::new()),
    ] {
        let answer = house.send(Method::POST, path, &headers, &body).await;
        assert_eq!(error(&answer), refused(400, "invalid_request"), "{path} {headers:?} {body}");
    }
}

#[tokio::test]
async fn without_a_token_there_is_only_a_challenge() {
    let house = House::new().await;
    for headers in [vec![], vec![("authorization", "Basic eDp5")], vec![("authorization", "Bearer")]] {
        let answer = house.send(Method::GET, "/userinfo", &headers, "").await;
        assert_eq!(answer.status, 401);
        assert_eq!(answer.headers["www-authenticate"], "Bearer");
        assert_eq!(answer.body, "");
    }
}

#[tokio::test]
async fn what_is_not_a_good_token_is_invalid() {
    let house = House::new().await;
    let (access, id) = house.tokens("openid").await;
    let (message, _) = access.rsplit_once('.').unwrap();
    for token in ["x", "a.b.c", "", &id, message, &format!("{message}."), &format!("{access}A"), &access[1..]]
    {
        let answer = house.shop().userinfo(token).await;
        assert_eq!(error(&answer), refused(401, "invalid_token"), "{token}");
        let challenge = answer.headers["www-authenticate"].to_str().unwrap();
        assert!(challenge.starts_with("Bearer error=\"invalid_token\""), "{challenge}");
    }
    assert_eq!(house.shop().userinfo(&access).await.status, 200);
    // It is remembered now, and its times count all the same.
    house.idp.clock().set_back(Duration::from_secs(1));
    assert_eq!(error(&house.shop().userinfo(&access).await), refused(401, "invalid_token"));
    house.idp.clock().advance(Duration::from_secs(301));
    assert_eq!(error(&house.shop().userinfo(&access).await), refused(401, "invalid_token"));
}

#[tokio::test]
async fn a_token_belongs_to_one_issuer() {
    let house = House::new().await;
    let (access, _) = house.tokens("openid").await;
    let bearer = format!("Bearer {access}");
    let answer = house.send(Method::GET, "/t/one.test/userinfo", &[("authorization", &bearer)], "").await;
    assert_eq!(error(&answer), refused(401, "invalid_token"));
}

#[tokio::test]
async fn our_own_key_alone_does_not_make_a_token() {
    let house = House::new().await;
    let (access, _) = house.tokens("openid").await;
    let key = house.idp.idp().signing_key(&super::root(), SigningAlgorithm::Rs256).await.unwrap();
    let claims = part(&access, 1);
    let changed = |name: &str, value: Value| {
        let mut claims = claims.clone();
        claims.insert(name.to_owned(), value);
        jwt::sign(&key, "at+jwt", &claims).unwrap()
    };
    for good in [changed("jti", json!("x")), changed("aud", json!(["https://id.test", "https://api.test"]))] {
        assert_eq!(house.shop().userinfo(&good).await.status, 200);
    }
    for token in [
        changed("iss", json!("https://id.test/t/one.test")),
        changed("aud", json!("shop")),
        changed("aud", json!(["https://id.test", "shop"])),
        changed("aud", json!(["https://api.test"])),
        changed("aud", json!([])),
        changed("aud", json!({ "https://id.test": true })),
        changed("exp", json!("soon")),
        changed("grant", json!("nobody's")),
        changed("grant", Value::Null),
        jwt::sign(&key, "JWT", &claims).unwrap(),
    ] {
        assert_eq!(error(&house.shop().userinfo(&token).await), refused(401, "invalid_token"), "{token}");
    }
}

#[tokio::test]
async fn it_costs_one_read() {
    let house = House::new().await;
    let (access, _) = house.tokens("openid profile").await;
    house.shop().userinfo(&access).await;
    let before = house.idp.idp().db().statements();
    assert_eq!(house.shop().userinfo(&access).await.status, 200);
    assert_eq!(house.idp.idp().db().statements() - before, 1);
}

const SESSION: &str = r#"
    [[clients]]
    client_id = "session"
    token_endpoint_auth_method = "none"
    redirect_uris = ["https://session.test/callback"]
    grant_types = ["authorization_code", "refresh_token"]
    id_token_claims = true
"#;

/// The claims of the scopes stand in the ID token where the client says so: those of UserInfo, and no others.
#[tokio::test]
async fn id_tokens_hold_the_claims_of_scopes_where_the_client_registered_that() {
    const OWN: [&str; 11] =
        ["iss", "sub", "aud", "iat", "exp", "auth_time", "acr", "amr", "sid", "nonce", "at_hash"];
    let house = House::with(SESSION).await;
    let session = house.idp.application("session", "https://session.test/callback");
    let beyond = |answer: &Value| {
        let mut claims = part(answer["id_token"].as_str().unwrap(), 1);
        claims.retain(|name, _| !OWN.contains(&name.as_str()));
        Value::Object(claims)
    };
    for scope in ["openid", "openid email", "openid profile email phone address"] {
        let code = house.code(&session.authorization_url(scope)).await;
        let answer = session.token(&code).await.json();
        let mut told = session.userinfo(answer["access_token"].as_str().unwrap()).await.json();
        told.as_object_mut().unwrap().remove("sub");
        assert_eq!(beyond(&answer), told, "{scope}");
        assert_eq!(told.get("email").is_some(), scope.contains("email"), "{scope}");
    }
    let code = house.code(&house.shop().authorization_url("openid profile email")).await;
    let answer = house.shop().token(&code).await.json();
    assert_eq!(beyond(&answer), json!({ "tenant": "one.test" }), "off unless registered");
}

/// A refreshed ID token is for the scopes that are asked for (RFC 6749 §6), not for all that were granted.
#[tokio::test]
async fn a_refreshed_id_token_holds_the_claims_of_the_narrowed_scope() {
    let house = House::with(SESSION).await;
    let session = house.idp.application("session", "https://session.test/callback");
    let code = house.code(&session.authorization_url("openid profile email")).await;
    let first = session.token(&code).await.json();
    let refresh = async |token: &Value, scope: &str| {
        let token = token["refresh_token"].as_str().unwrap();
        let parameters = [("grant_type", "refresh_token"), ("refresh_token", token), ("scope", scope)];
        session.token_with(&parameters).await.json()
    };
    let narrowed = refresh(&first, "openid email").await;
    let claims = part(narrowed["id_token"].as_str().unwrap(), 1);
    assert_eq!((&claims["email"], claims.get("name")), (&json!("anna@example.test"), None), "{claims:?}");
    assert_eq!(claims.get("tenant"), None, "{claims:?}");
    let whole = refresh(&narrowed, "openid profile email").await;
    assert_eq!(part(whole["id_token"].as_str().unwrap(), 1)["name"], "Anna Example");
}
