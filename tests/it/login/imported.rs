//! Users whose password hash another system computed.

use std::fmt::Write;

use serde::Deserialize;
use vestibule::domain::event::{Event, LoginFailure};
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

/// What was typed decides how much is read and written, not who was meant.
#[tokio::test]
async fn a_wrong_password_costs_as_much_as_an_unknown_name() {
    let vectors = vectors();
    let idp = TestIdp::with(HOUSE).await;
    idp.idp().apply(&users(vectors.iter().map(|vector| vector.hash.as_str()))).await.unwrap();
    let shop = idp.application("shop", "https://shop.test/callback");
    assert!(!opens(&idp, &shop, "nobody", "wrong").await, "what is cached is read");
    let mut seen = Vec::new();
    for (username, password, reason) in [
        ("bert", "wrong", LoginFailure::WrongPassword),
        ("nobody", "wrong", LoginFailure::UserUnknown),
        ("moved0", "wrong", LoginFailure::WrongPassword),
        ("moved1", "m\u{b2}", LoginFailure::WrongPassword),
        ("nobody2", "m\u{b2}", LoginFailure::UserUnknown),
    ] {
        let mut browser = idp.browser();
        let page = open(&mut browser, &shop, &[]).await;
        let before = idp.cost();
        sign_in(&mut browser, &page, username, password).await;
        let spent = idp.cost() - before;
        seen.push((spent.statements, spent.writes));
        let told = idp.events().all().pop();
        assert!(
            matches!(told, Some(Event::LoginFailed { reason: found, .. }) if found == reason),
            "{told:?}"
        );
    }
    assert!(seen.iter().all(|spent| *spent == seen[0]), "{seen:?}");
}

/// A password of more than 1,024 bytes is not hashed, whatever the name.
#[tokio::test]
async fn an_endless_password_is_refused() {
    let vectors = vectors();
    let idp = TestIdp::with(HOUSE).await;
    idp.idp().apply(&users(vectors.iter().map(|vector| vector.hash.as_str()))).await.unwrap();
    let shop = idp.application("shop", "https://shop.test/callback");
    let at = vectors.iter().position(|vector| vector.name.starts_with("bcrypt of 200")).unwrap();
    let cut: String = vectors[at].password.repeat(6);
    assert!(cut.len() > 1024);
    assert!(!opens(&idp, &shop, &format!("moved{at}"), &cut).await, "bcrypt would read the first 72 bytes");
    assert!(opens(&idp, &shop, &format!("moved{at}"), &vectors[at].password).await);
}

#[tokio::test]
async fn what_cannot_be_imported_is_told_at_once_and_with_its_reason() {
    let idp = TestIdp::with(HOUSE).await;
    let document = format!(
        "{}{}",
        users([
            "$2b$15$2PcpWJyXYuiM659aNkFLWODTO1G4oBt89yvzFDlKlFiWM562ZI3sC",
            "$1$saltsalt$9Zw0gS0mFYBW5Z5aVxUqT1",
            "$2b$12$abcdefghijklmnopqrstuv",
            "$scrypt$ln=17,r=8,p=1$khKCEEKI0ZqTUiplrNXaOw$2FdanSUYy8rGyrEqDYqFiNdCLoUZiXrz2g8gzen8Y+s",
        ]),
        r#"
        [[users]]
        tenant = "123456.sms"
        username = "pia"
        [[users.authenticators]]
        kind = "totp"
        secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
        pin_hash = "$2b$10$2PcpWJyXYuiM659aNkFLWODTO1G4oBt89yvzFDlKlFiWM562ZI3sC"
        "#,
    );
    let before = idp.idp().export().await.unwrap();
    let told = idp.idp().apply(&document).await.unwrap_err().to_string();
    let expected = [
        "users[0].password_hash: takes about 2.0 s and 1 MiB to check; at most 1 s and 64 MiB are accepted",
        "users[1].password_hash: is in no format that is accepted: $argon2id$ ",
        "users[2].password_hash: is not a complete bcrypt hash",
        "users[3].password_hash: takes about 0.4 s and 128 MiB to check",
        "users[4].authenticators[0].pin_hash: must be an Argon2id hash",
    ];
    assert_eq!(told.lines().count(), expected.len(), "{told}");
    for (line, expected) in told.lines().zip(expected) {
        assert!(line.starts_with(expected), "{line}");
    }
    assert_eq!(idp.idp().export().await.unwrap(), before);
}

/// A document with hashes says what the password is, as one with passwords does.
#[tokio::test]
async fn another_hash_in_the_document_is_another_password() {
    let vectors = vectors();
    let idp = TestIdp::with(HOUSE).await;
    let shop = idp.application("shop", "https://shop.test/callback");
    let hash = |name: &str| vectors.iter().find(|vector| vector.name == name).unwrap();
    let (one, two) = (hash("LDAP {SSHA}"), hash("Firebase"));
    for vector in [one, two, one] {
        let applied = idp.idp().apply(&users([vector.hash.as_str()])).await.unwrap();
        assert!(!applied.is_nothing());
        assert!(opens(&idp, &shop, "moved0", &vector.password).await, "{}", vector.name);
        assert!(idp.idp().apply(&users([vector.hash.as_str()])).await.unwrap().is_nothing());
    }
    assert!(!opens(&idp, &shop, "moved0", &two.password).await);
}
