//! Users whose password hash another system computed.

use std::fmt::Write;

use serde::Deserialize;
use vestibule::testing::{Application, TestIdp};

use super::{DOMAIN, HOUSE, open, sign_in};

/// A hash that another system's own library computed.
#[derive(Deserialize)]
struct Vector {
    name: String,
    password: String,
    hash: String,
}

fn vectors() -> Vec<Vector> {
    serde_json::from_str(include_str!("../../../src/crypto/password/imported/vectors.json")).unwrap()
}

fn users<'a>(hashes: impl IntoIterator<Item = &'a str>) -> String {
    let mut document = String::new();
    for (at, hash) in hashes.into_iter().enumerate() {
        let user =
            format!("[[users]]\ntenant = \"{DOMAIN}\"\nusername = \"moved{at}\"\npassword_hash = '{hash}'");
        writeln!(document, "{user}").unwrap();
    }
    document
}

/// Whether the password opens the account.
async fn opens(idp: &TestIdp, shop: &Application, username: &str, password: &str) -> bool {
    let mut browser = idp.browser();
    let page = open(&mut browser, shop, &[]).await;
    sign_in(&mut browser, &page, username, password).await.parameter("code").is_some()
}

/// The stored hashes of the users that were moved.
async fn hashes(idp: &TestIdp) -> Vec<(String, String)> {
    let export: toml::Table = idp.idp().export().await.unwrap().parse().unwrap();
    let users = export["users"].as_array().unwrap();
    let text =
        |user: &toml::Value, name: &str| user.get(name).and_then(|value| value.as_str()).map(str::to_owned);
    let moved = users.iter().filter_map(|user| Some((text(user, "username")?, text(user, "password_hash")?)));
    moved.filter(|(name, _)| name.starts_with("moved")).collect()
}

#[tokio::test]
async fn every_format_signs_in_once_and_is_ours_afterwards() {
    let vectors = vectors();
    let document = users(vectors.iter().map(|vector| vector.hash.as_str()));
    let idp = TestIdp::with(HOUSE).await;
    idp.idp().apply(&document).await.unwrap();
    let shop = idp.application("shop", "https://shop.test/callback");
    for (_, hash) in hashes(&idp).await {
        assert!(!hash.starts_with("$argon2id$v=19$m=8,"), "{hash}");
    }
    for (at, Vector { name, password, .. }) in vectors.iter().enumerate() {
        let user = format!("moved{at}");
        assert!(!opens(&idp, &shop, &user, "wrong").await, "{name}");
        assert!(opens(&idp, &shop, &user, password).await, "{name}");
    }
    for (user, hash) in hashes(&idp).await {
        assert!(hash.starts_with("$argon2id$v=19$m=8,t=1,p=1$"), "{user}: {hash}");
    }
    for (at, Vector { name, password, .. }) in vectors.iter().enumerate() {
        let user = format!("moved{at}");
        assert!(!opens(&idp, &shop, &user, "wrong").await, "{name}");
        assert!(opens(&idp, &shop, &user, password).await, "{name}, the second time");
    }
    let again = idp.idp().apply(&document).await.unwrap();
    assert!(again.is_nothing(), "the document was applied before, whatever became of the hashes: {again}");
}

#[tokio::test]
async fn what_was_exported_before_the_first_sign_in_can_be_imported_elsewhere() {
    let vectors = vectors();
    let idp = TestIdp::with(HOUSE).await;
    let document = users(vectors.iter().map(|vector| vector.hash.as_str()));
    idp.idp().apply(&document).await.unwrap();
    assert!(idp.idp().apply(&document).await.unwrap().is_nothing());
    let export = idp.idp().export().await.unwrap();
    for secret in ["jxspr8Ki0RYycVU8", "{SSHA}", "$5$", "$6$"] {
        assert!(!export.contains(secret), "{secret}");
    }
    let other = TestIdp::with(&export).await;
    assert_eq!(other.idp().export().await.unwrap(), export);
    assert!(other.idp().apply(&export).await.unwrap().is_nothing());
    let shop = other.application("shop", "https://shop.test/callback");
    for (at, Vector { name, password, .. }) in vectors.iter().enumerate() {
        assert!(opens(&other, &shop, &format!("moved{at}"), password).await, "{name}");
    }
}
