use serde::Deserialize;

use super::super::{Against, Import, ImportError, Password, PasswordCheck, PasswordHasher};
use super::*;
use crate::domain::settings::PasswordCost;

/// Hashes that the other systems' own libraries computed; Firebase's is the sample of its documentation.
#[derive(Deserialize)]
struct Vector {
    name: String,
    password: String,
    hash: String,
}

fn vectors() -> Vec<Vector> {
    serde_json::from_str(include_str!("vectors.json")).unwrap()
}

fn vector(name: &str) -> Vector {
    vectors().into_iter().find(|vector| vector.name == name).unwrap()
}

/// The digest as the hash writes it.
fn digest_of(hash: &str) -> String {
    let Ok(credential) = serde_json::from_str::<serde_json::Value>(hash) else {
        return hash.rsplit(['$', '}']).next().unwrap().to_owned();
    };
    let secret: serde_json::Value = serde_json::from_str(credential["secretData"].as_str().unwrap()).unwrap();
    secret["value"].as_str().unwrap().to_owned()
}

fn hasher() -> PasswordHasher {
    PasswordHasher::new(PasswordCost::CHEAPEST, 2, 8)
}

fn password(text: &str) -> Password {
    Password::at_sign_in(text).unwrap()
}

fn refused(text: &str) -> ImportError {
    Import::read(text, PasswordCost::default()).err().unwrap_or_else(|| panic!("{text} was accepted"))
}

const WRONG: PasswordCheck = PasswordCheck { matches: false, outdated: false };

#[tokio::test]
async fn every_format_matches_its_password_only() {
    let hasher = hasher();
    for Vector { name, password: right, hash } in vectors() {
        let import = hasher.read_import(&hash).unwrap_or_else(|error| panic!("{name}: {error}"));
        let stored = hasher.store_import(import).await.unwrap();
        let verify = |text: &str| hasher.verify(password(text), Against::Imported(&stored.hash));
        let verdict = verify(&right).await.unwrap();
        assert!(verdict.matches, "{name}: {}", stored.hash);
        // Only Argon2id in our own notation may be at our own cost.
        assert!(verdict.outdated, "{name}");
        let replaced = right.replacen(['m', 'c', 'u', 'x', 'L', 'z'], "-", 1);
        for wrong in ["wrong", replaced.as_str(), right.get(1..).unwrap()] {
            assert_eq!(verify(wrong).await.unwrap(), WRONG, "{name}: {wrong}");
        }
        let dummy = hasher.verify(password(&right), Against::Nothing(Some(&stored.scheme))).await.unwrap();
        assert_eq!(dummy, WRONG, "{name}");
        // What is stored can be exported and imported again.
        let again = hasher.store_import(hasher.read_import(&stored.hash).unwrap()).await.unwrap();
        assert_eq!(again, stored, "{name}");
    }
}

#[tokio::test]
async fn what_is_cheaper_than_our_own_is_not_stored() {
    let hasher = hasher();
    for Vector { name, hash, .. } in vectors() {
        let stored = hasher.store_import(hasher.read_import(&hash).unwrap()).await.unwrap();
        let cheap = ["{SSHA", "{CRYPT}", "$5$", "$6$", "AQAAAA", "$pbkdf2"]
            .iter()
            .any(|start| hash.starts_with(start))
            || hash.contains("pbkdf2") && !name.ends_with("default")
            || hash.contains("$04$")
            || hash.contains("$05$");
        assert_eq!(stored.hash.starts_with("$wrapped$"), cheap, "{name}: {}", stored.hash);
        let digest = digest_of(&hash);
        assert!(!cheap || !stored.hash.contains(digest.trim_end_matches('=')), "{name}");
    }
}

/// Memory-hard schemes are compared with what our own costs at present.
#[test]
fn a_memory_hard_hash_below_our_own_cost_is_cheap() {
    let scheme = |text: &str| text.parse::<Scheme>().unwrap();
    let own = HashCost::of_argon2(19_456, 2);
    for (text, cheap) in [
        ("argon2id,v=19,m=19456,t=2,p=1,l=32", false),
        ("argon2id,v=19,m=19456,t=1,p=1,l=32", true),
        ("argon2i,v=19,m=512,t=2,p=2,l=32", true),
        ("scrypt,ln=15,r=8,p=1,l=64", false),
        ("firebase-scrypt,ln=14,r=8,p=1,l=64", false),
        ("scrypt,ln=10,r=8,p=1,l=64", true),
        ("bcrypt,c=9", true),
        ("bcrypt,c=10", false),
        ("pbkdf2-sha256,i=599999,l=32", true),
        ("pbkdf2-sha256,i=600000,l=32", false),
    ] {
        assert_eq!(scheme(text).is_cheap(own), cheap, "{text}");
        assert_eq!(scheme(text).to_string(), text);
    }
}

#[test]
fn what_is_too_dear_is_refused_with_its_cost() {
    let phc = |memory: u32, passes: u32| {
        format!(
            "argon2id$v=19$m={memory},t={passes},p=8$c29tZXNhbHQxMjM0NTY3OA$caSLcM675EtGZasmgguSiALzSZ32NEjP"
        )
    };
    let bcrypt = vector("bcrypt $2b$").hash;
    let scrypt = vector("$scrypt$").hash;
    let pbkdf2 = vector("Django pbkdf2_sha256").hash;
    let crypt = vector("$6$").hash;
    for (text, told) in [
        (format!("${}", phc(65_537, 1)), "0.1 s and 65 MiB to check; at most 1 s and 64 MiB"),
        (format!("argon2${}", phc(102_401, 2)), "0.2 s and 101 MiB to check; at most 1 s and 100 MiB"),
        (format!("argon2${}", phc(65_536, 17)), "1.1 s and 64 MiB"),
        (bcrypt.replace("$04$", "$15$"), "2.0 s and 1 MiB"),
        (scrypt.replace("ln=10", "ln=17"), "0.4 s and 128 MiB"),
        (scrypt.replace("ln=10", "ln=14").replace("p=1", "p=64"), "3.0 s and 16 MiB"),
        (pbkdf2.replace("$1000$", "$3000000$"), "1.1 s and 1 MiB"),
        (crypt.replace("1234", "3000000"), "s and 1 MiB"),
    ] {
        let error = refused(&text);
        assert!(matches!(error, ImportError::TooDear { .. }), "{text}: {error}");
        assert!(error.to_string().contains(told), "{text}: {error}");
    }
    // What a division would round to nothing, or a product would overflow.
    for parameters in
        ["ln=10,r=8,p=65", "ln=1,r=1,p=16777216", "ln=2,r=1,p=536870911", "ln=1,r=65536,p=65536"]
    {
        let error = refused(&scrypt.replace("ln=10,r=8,p=1", parameters));
        assert_eq!(error, ImportError::Malformed("scrypt"), "{parameters}");
        assert!(format!("scrypt,{parameters},l=32").parse::<Scheme>().is_err(), "{parameters}");
    }
    for text in [
        format!("argon2${}", phc(102_400, 2)),
        bcrypt.replace("$04$", "$14$"),
        scrypt.replace("ln=10", "ln=16"),
        pbkdf2.replace("$1000$", "$1500000$"),
        crypt.replace("1234", "656000"),
    ] {
        assert!(Import::read(&text, PasswordCost::default()).is_ok(), "{text}");
    }
}

#[test]
fn what_is_unknown_is_told_the_formats() {
    for text in [
        "",
        "x",
        "secret",
        "$1$salt$hash",
        "$2x$10$abcdefghijklmnopqrstuv",
        "{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=",
        "{MD5}X03MO1qnZdYdgyfeuILPmQ==",
        "5f4dcc3b5aa765d61d8327deb882cf99",
        "md5$salt$hash",
        "AAEAAAABAAAnEA==",
        "$y$j9T$salt$hash",
    ] {
        let error = refused(text);
        assert_eq!(error, ImportError::Unknown, "{text}");
        assert!(error.to_string().contains("$2b$") && error.to_string().contains("{SSHA}"), "{error}");
    }
}

#[test]
fn what_is_incomplete_is_refused_and_not_repeated() {
    for Vector { name, hash, .. } in vectors() {
        for text in [hash.get(..hash.len() * 2 / 5).unwrap().to_owned(), format!("{hash}$x")] {
            let error = refused(&text).to_string();
            assert!(!error.contains(&digest_of(&hash)), "{name}: {error}");
        }
    }
    for text in [
        "$imported$bcrypt,c=12$AAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "$imported$md5$AAAA$AAAA",
        "$imported$",
        "$wrapped$ssha$AAAA$argon2id$v=19$m=8,t=1,p=1$AAAA",
        "$wrapped$",
        "$2b$99$abcdefghijklmnopqrstuvabcdefghijklmnopqrstuvabcdefghijk",
        "$scrypt$ln=70,r=8,p=1$c29tZXNhbHQ$c29tZXNhbHRzb21lc2FsdHNvbWVzYWx0",
        "$scrypt$ln=10,r=0,p=1$c29tZXNhbHQ$c29tZXNhbHRzb21lc2FsdHNvbWVzYWx0",
        "$scrypt$ln=10,r=4294967295,p=4294967295$c29tZXNhbHQ$c29tZXNhbHRzb21lc2FsdHNvbWVzYWx0",
        "pbkdf2_sha256$0$salt$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        "pbkdf2_sha256$1000$salt$AAAA",
    ] {
        assert!(matches!(refused(text), ImportError::Malformed(_)), "{text}: {}", refused(text));
    }
}

/// Old C implementations cut a password at a NUL, so `right\0anything` would be let in.
#[tokio::test]
async fn a_nul_does_not_end_a_password() {
    let hasher = hasher();
    for name in ["bcrypt $2b$", "$6$ at the default rounds"] {
        let Vector { password: right, hash, .. } = vector(name);
        let stored = hasher.store_import(hasher.read_import(&hash).unwrap()).await.unwrap();
        let typed = password(&format!("{right}\0anything"));
        assert_eq!(hasher.verify(typed, Against::Imported(&stored.hash)).await.unwrap(), WRONG, "{name}");
    }
}

/// crypt's cost grows with the password: a long one must not take more than the limit.
#[test]
fn a_long_password_cannot_make_a_check_dear() {
    let scheme = |text: &str| text.parse::<Scheme>().unwrap();
    assert!(scheme("sha512-crypt,rounds=656000").derive(&[b'x'; 511], b"salt").is_none());
    assert!(scheme("sha512-crypt,rounds=5000").derive(&[b'x'; 511], b"salt").is_some());
    assert!(scheme("sha512-crypt,rounds=5000").derive(&[b'x'; 512], b"salt").is_none());
}

#[tokio::test]
async fn both_readings_of_a_password_are_compared_where_it_was_imported() {
    let hasher = hasher();
    // What our own hasher computed stands for another system that normalises, or does not.
    let own = hasher.hash(Password::normalise("m2").unwrap()).await.unwrap();
    let verify = |against| hasher.verify(password("m\u{b2}"), against);
    assert_eq!(verify(Against::Own(&own)).await.unwrap(), PasswordCheck { matches: true, outdated: false });
    assert_eq!(
        verify(Against::Imported(&own)).await.unwrap(),
        PasswordCheck { matches: true, outdated: false }
    );
    let Vector { password: typed, hash, .. } = vector("$argon2id$");
    let verify = |against| hasher.verify(password(&typed), against);
    assert_eq!(verify(Against::Own(&hash)).await.unwrap(), WRONG);
    assert_eq!(
        verify(Against::Imported(&hash)).await.unwrap(),
        PasswordCheck { matches: true, outdated: true }
    );
}

#[test]
fn the_signer_key_of_a_firebase_project_is_not_stored() {
    let Vector { hash, .. } = vector("Firebase");
    let stored = notation::parse(&hash).unwrap().to_text();
    assert!(!stored.contains("jxspr8Ki0RYycVU8"), "{stored}");
    assert!(!stored.contains("lSrfV15cpx95"), "{stored}");
}
