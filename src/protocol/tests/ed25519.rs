//! RFC 9864: Ed25519 under its own name and under the deprecated one; a client that registered one gets that one.

use axum::http::Method;
use serde_json::{Value, json};

use super::assertions::{failed, present, proven};
use super::client_keys::{headed, set};
use super::published::Publisher;
use super::{House, form, part, root};
use crate::crypto::jwt;
use crate::crypto::keys::SigningKey;
use crate::domain::client::SigningAlgorithm;

const SECRET: &str = "a-secret-of-at-least-32-characters-named";
const NAMES: [&str; 2] = ["Ed25519", "EdDSA"];

/// A house with a client that wants everything signed with Ed25519 by this name.
async fn house(name: &str) -> House {
    House::with(&format!(
        r#"
        [[clients]]
        client_id = "named"
        client_secret = "{SECRET}"
        redirect_uris = ["https://named.test/callback"]
        id_token_signed_response_alg = "{name}"
        userinfo_signed_response_alg = "{name}"
        access_token_signed_response_alg = "{name}"
        introspection_signed_response_alg = "{name}"
        "#
    ))
    .await
}

#[tokio::test]
async fn everything_is_signed_under_the_registered_name() {
    for (name, other) in [(NAMES[0], NAMES[1]), (NAMES[1], NAMES[0])] {
        let house = house(name).await;
        let application = house.idp.application("named", "https://named.test/callback").secret(SECRET);
        let code = house.code(&application.authorization_url("openid")).await;
        let tokens = application.token(&code).await.json();
        let access_token = tokens["access_token"].as_str().unwrap();
        let userinfo = application.userinfo(access_token).await;
        assert_eq!(userinfo.status, 200);
        let jwt_wanted = [
            ("content-type", "application/x-www-form-urlencoded"),
            ("accept", "application/token-introspection+jwt"),
        ];
        let body = form(&[("token", access_token), ("client_id", "named"), ("client_secret", SECRET)]);
        let meaning = house.send(Method::POST, "/introspect", &jwt_wanted, &body).await;
        let jwks = house.send(Method::GET, "/jwks", &[], "").await.json();
        for signed in [access_token, tokens["id_token"].as_str().unwrap(), &userinfo.body, &meaning.body] {
            let header = part(signed, 0);
            assert_eq!(header["alg"], name);
            let named = |key: &&Value| key["kid"] == header["kid"];
            let key = jwks["keys"].as_array().unwrap().iter().find(named).unwrap();
            assert_eq!(
                (&key["kty"], &key["crv"], &key["alg"]),
                (&json!("OKP"), &json!("Ed25519"), &json!(name))
            );
        }
        assert!(jwks["keys"].as_array().unwrap().iter().all(|key| key["alg"] != other), "{jwks}");
        let hint = [("prompt", "none"), ("id_token_hint", tokens["id_token"].as_str().unwrap())];
        let url = application.authorization_url_with("openid", &hint);
        let validated = house.validate(url.split_once('?').unwrap().1).await.unwrap();
        assert_eq!(validated.request().expected_sub.as_deref(), Some(house.anna.as_str()), "a hint counts");
    }
}

/// The key is the same, whatever its own `alg` says; the name of the algorithm is the client's choice, or registered.
#[tokio::test]
async fn an_assertion_carries_the_registered_name() {
    for own_name in [SigningAlgorithm::EdDsa, SigningAlgorithm::Ed25519] {
        let key = SigningKey::generate(own_name).unwrap();
        for registered in [Some(NAMES[0]), Some(NAMES[1]), None] {
            let publisher = Publisher::start(set(&[&key])).await;
            let alg = registered.map(|name| format!("token_endpoint_auth_signing_alg = \"{name}\""));
            let client = format!(
                "[[clients]]\nclient_id = \"publisher\"\ntoken_endpoint_auth_method = \"private_key_jwt\"\n\
                 jwks_uri = \"http://{}/keys\"\nredirect_uris = [\"https://publisher.test/callback\"]\n{}",
                publisher.address,
                alg.unwrap_or_default()
            );
            let house = publisher.house(&client).await;
            for name in NAMES {
                let header = json!({ "alg": name, "kid": key.id() });
                let expected = if registered.is_none_or(|one| one == name) { proven() } else { failed() };
                let answer = present(&house, &headed(&house, &key, &header)).await;
                assert_eq!(answer, expected, "{own_name:?} {registered:?} {name}");
            }
        }
    }
}

/// A key of ours signs under its own name alone, and both verify.
#[tokio::test]
async fn each_name_has_a_key_of_its_own() {
    let house = House::new().await;
    let idp = house.idp.idp();
    let mut kids = Vec::new();
    for algorithm in [SigningAlgorithm::EdDsa, SigningAlgorithm::Ed25519] {
        let key = idp.signing_key(&root(), algorithm).await.unwrap();
        assert_eq!(part(&jwt::sign(&key, "JWT", &json!({})).unwrap(), 0)["alg"], algorithm.as_str());
        kids.push(key.id().clone());
    }
    assert_ne!(kids[0], kids[1]);
    assert_eq!(idp.verifying_keys(&root()).await.unwrap().len(), 2);
}
