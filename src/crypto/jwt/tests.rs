use std::time::Duration;

use aws_lc_rs::hmac::{self, HMAC_SHA256};
use base64::Engine;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;
use crate::crypto::keys::SigningKey;
use crate::domain::client::SigningAlgorithm::{self, EdDsa, Es256, Rs256};
use crate::domain::time::Time;

const NOW: i64 = 1_800_000_000;

const EXPECTED: Expected<'_> = Expected {
    typ: &["JWT"],
    algorithms: &SigningAlgorithm::ALL,
    issuer: "https://op.example",
    audience: AudienceRule::One,
    subject: Subject::Somebody,
    now: Time::from_unix(NOW),
    leeway: Duration::from_mins(1),
    max_lifetime: Some(Duration::from_hours(1)),
    allow_expired: false,
};

fn key() -> SigningKey {
    SigningKey::generate(Es256).unwrap()
}

fn claims() -> Value {
    json!({ "iss": "https://op.example", "aud": "us", "sub": "anna", "exp": NOW + 300, "iat": NOW, "jti": "1" })
}

/// Good claims with some changed; `null` takes one away.
fn changed(changes: &Value) -> Value {
    let mut claims = claims();
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => claims.as_object_mut().unwrap().remove(name),
            _ => claims.as_object_mut().unwrap().insert(name.clone(), value.clone()),
        };
    }
    claims
}

/// A token of this very header and payload, rightly signed.
fn raw(key: &SigningKey, header: &str, payload: &str) -> String {
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
    let signature = URL_SAFE_NO_PAD.encode(key.sign(message.as_bytes()).unwrap());
    format!("{message}.{signature}")
}

fn with_header(key: &SigningKey, header: &Value) -> String {
    raw(key, &header.to_string(), &claims().to_string())
}

fn check(key: &SigningKey, token: &str, expected: &Expected<'_>) -> Result<Map<String, Value>, JwtError> {
    verify(token, &[VerifyingKey::try_from(key).unwrap()], expected)
}

#[test]
fn what_we_sign_we_accept() {
    for algorithm in SigningAlgorithm::ALL {
        let key = SigningKey::generate(algorithm).unwrap();
        let token = sign(&key, "JWT", &claims()).unwrap();
        assert_eq!(check(&key, &token, &EXPECTED).map(Value::Object), Ok(claims()));
    }
}

/// An implementation that is not ours reads our tokens; it knows Ed25519 by its deprecated name alone.
#[test]
fn what_we_sign_the_library_accepts() {
    for algorithm in SigningAlgorithm::ALL {
        let key = SigningKey::generate(algorithm).unwrap();
        let token = sign(&key, "at+jwt", &claims()).unwrap();
        if algorithm == SigningAlgorithm::Ed25519 {
            assert!(jsonwebtoken::decode_header(&token).is_err(), "it knows both names by now");
            continue;
        }
        let header = jsonwebtoken::decode_header(&token).unwrap();
        assert_eq!((header.typ.as_deref(), header.kid.as_deref()), (Some("at+jwt"), Some(key.id().as_str())));
        let jwk: jsonwebtoken::jwk::Jwk = serde_json::from_value(key.jwk().clone()).unwrap();
        let mut validation = jsonwebtoken::Validation::new(algorithm.as_str().parse().unwrap());
        validation.validate_exp = false;
        validation.set_audience(&["us"]);
        let decoding = jsonwebtoken::DecodingKey::from_jwk(&jwk).unwrap();
        let read = jsonwebtoken::decode::<Value>(&token, &decoding, &validation).unwrap();
        assert_eq!(read.claims, claims());
    }
}

/// RFC 7515, appendix A.2: a token of another hand. Its claims are not what we expect; its signature is right.
#[test]
fn the_rs256_example_of_rfc_7515() {
    let jwk = json!({ "kty": "RSA", "e": "AQAB", "n": concat!(
        "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yR",
        "T-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXB",
        "dQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9ia",
        "GNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ") });
    let token = concat!(
        "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19y",
        "b290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8",
        "W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Q",
        "e7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6Lbg",
        "GY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
    );
    let keys = [VerifyingKey::from_jwk(&jwk).unwrap().unwrap()];
    let joe = Expected { issuer: "joe", ..EXPECTED };
    assert_eq!(verify(token, &keys, &joe), Err(JwtError::Claim("aud")));
    let altered = token.replace(".cC4h", ".cC4i");
    assert_eq!(verify(&altered, &keys, &joe), Err(JwtError::Signature));
}

#[test]
fn a_claim_that_is_not_exactly_right_is_refused() {
    let key = key();
    let table = [
        (json!({ "iss": null }), "iss"),
        (json!({ "iss": 7 }), "iss"),
        (json!({ "iss": "" }), "iss"),
        (json!({ "iss": "https://op.example/" }), "iss"),
        (json!({ "iss": ["https://op.example"] }), "iss"),
        (json!({ "iss": ["evil", "https://op.example"] }), "iss"),
        (json!({ "aud": null }), "aud"),
        (json!({ "aud": 7 }), "aud"),
        (json!({ "aud": {} }), "aud"),
        (json!({ "aud": [] }), "aud"),
        (json!({ "aud": [7] }), "aud"),
        (json!({ "aud": ["other", "us"] }), "aud"),
        (json!({ "aud": ["us", "us"] }), "aud"),
        (json!({ "aud": [["us"]] }), "aud"),
        (json!({ "sub": null }), "sub"),
        (json!({ "sub": 7 }), "sub"),
        (json!({ "sub": "" }), "sub"),
        (json!({ "sub": ["anna"] }), "sub"),
        (json!({ "exp": null }), "exp"),
        (json!({ "exp": "1800000300" }), "exp"),
        (json!({ "exp": -1 }), "exp"),
        (json!({ "exp": 1.5e300 }), "exp"),
        (json!({ "exp": i64::MAX }), "exp"),
        (json!({ "exp": u64::MAX }), "exp"),
        (json!({ "exp": [NOW + 300] }), "exp"),
        (json!({ "exp": true }), "exp"),
        (json!({ "exp": NOW + 48 * 3600 }), "exp"),
        (json!({ "exp": NOW + 3661 }), "exp"),
        (json!({ "nbf": 4_102_444_800_i64 }), "nbf"),
        (json!({ "nbf": NOW + 61 }), "nbf"),
        (json!({ "nbf": "0" }), "nbf"),
        (json!({ "iat": NOW + 61 }), "iat"),
        (json!({ "iat": "0" }), "iat"),
        (json!({ "iat": -1 }), "iat"),
    ];
    for (changes, name) in table {
        let token = sign(&key, "JWT", &changed(&changes)).unwrap();
        assert_eq!(check(&key, &token, &EXPECTED), Err(JwtError::Claim(name)), "{changes}");
    }
}

#[test]
fn what_the_standards_leave_open_is_accepted() {
    let key = key();
    let table = [
        json!({ "aud": ["us"] }),
        json!({ "exp": NOW + 3660 }),
        json!({ "exp": NOW - 59 }),
        json!({ "exp": 1_800_000_300.5 }),
        json!({ "nbf": NOW + 60 }),
        json!({ "iat": NOW + 60, "nbf": NOW - 1_000_000 }),
        json!({ "iat": null, "jti": null }),
    ];
    for changes in table {
        let token = sign(&key, "JWT", &changed(&changes)).unwrap();
        assert!(check(&key, &token, &EXPECTED).is_ok(), "{changes}");
    }
}

#[test]
fn an_expired_token_serves_as_a_hint_only() {
    let key = key();
    let hint = Expected { allow_expired: true, ..EXPECTED };
    for (exp, valid) in [(NOW - 59, true), (NOW - 60, false), (NOW - 1_000_000, false), (0, false)] {
        let token = sign(&key, "JWT", &changed(&json!({ "exp": exp, "iat": 0 }))).unwrap();
        let refused = (!valid).then_some(JwtError::Expired);
        assert_eq!(check(&key, &token, &EXPECTED).err(), refused, "{exp}");
        assert!(check(&key, &token, &hint).is_ok(), "{exp}");
        let (message, signature) = token.rsplit_once('.').unwrap();
        let other = if signature.starts_with('A') { "B" } else { "A" };
        let altered = format!("{message}.{other}{}", &signature[1..]);
        assert!(matches!(check(&key, &altered, &hint), Err(JwtError::Signature)));
    }
}

#[test]
fn audience_and_subject_may_be_left_to_the_caller() {
    let key = key();
    let any = Expected { audience: AudienceRule::Several, ..EXPECTED };
    let anna = Expected { subject: Subject::One("anna"), ..EXPECTED };
    let token = |changes| sign(&key, "JWT", &changed(&changes)).unwrap();
    let several = token(json!({ "aud": ["a", "b"] }));
    assert_eq!(check(&key, &several, &EXPECTED), Err(JwtError::Claim("aud")));
    assert!(check(&key, &several, &any).is_ok());
    for expected in [&EXPECTED, &any] {
        assert!(check(&key, &token(json!({ "aud": "somebody" })), expected).is_ok());
        for odd in [
            json!(null),
            json!([]),
            json!(7),
            json!([7]),
            json!(["a", null]),
            json!({ "a": "b" }),
            json!([["a"]]),
        ] {
            assert_eq!(
                check(&key, &token(json!({ "aud": odd })), expected),
                Err(JwtError::Claim("aud")),
                "{odd}"
            );
        }
    }
    assert!(check(&key, &token(json!({})), &anna).is_ok());
    assert_eq!(check(&key, &token(json!({ "sub": "bert" })), &anna), Err(JwtError::Claim("sub")));
    let nobody = Expected { subject: Subject::Nobody, ..EXPECTED };
    assert!(check(&key, &token(json!({ "sub": null })), &nobody).is_ok());
    assert_eq!(check(&key, &token(json!({ "sub": null })), &EXPECTED), Err(JwtError::Claim("sub")));
    assert_eq!(check(&key, &token(json!({})), &nobody), Err(JwtError::Claim("sub")));
}

#[test]
fn the_type_keeps_tokens_apart() {
    let key = key();
    let header = |typ: &Value| match typ {
        Value::Null => json!({ "alg": "ES256" }),
        _ => json!({ "alg": "ES256", "typ": typ }),
    };
    let table = [
        (json!(null), &["JWT"][..], true),
        (json!("JWT"), &["JWT"], true),
        (json!("jwt"), &["JWT"], true),
        (json!("application/at+jwt"), &["at+jwt"], true),
        (json!("client-authentication+jwt"), &["JWT", "client-authentication+jwt"], true),
        (json!("at+jwt"), &["JWT"], false),
        (json!("JWT"), &["at+jwt"], false),
        (json!(null), &["at+jwt"], false),
        (json!(""), &["JWT"], false),
        (json!(7), &["JWT"], false),
        (json!(["JWT"]), &["JWT"], false),
    ];
    for (typ, allowed, accepted) in table {
        let expected = Expected { typ: allowed, ..EXPECTED };
        let refused = (!accepted).then_some(JwtError::Header("typ"));
        assert_eq!(
            check(&key, &with_header(&key, &header(&typ)), &expected).err(),
            refused,
            "{typ} {allowed:?}"
        );
    }
}

#[test]
fn a_header_that_changes_the_rules_is_refused() {
    let key = key();
    let table = [
        (json!({ "typ": "JWT" }), "alg"),
        (json!({ "alg": "none" }), "alg"),
        (json!({ "alg": "None" }), "alg"),
        (json!({ "alg": "" }), "alg"),
        (json!({ "alg": null }), "alg"),
        (json!({ "alg": ["ES256"] }), "alg"),
        (json!({ "alg": "es256" }), "alg"),
        (json!({ "alg": "ES384" }), "alg"),
        (json!({ "alg": "HS256" }), "alg"),
        (json!({ "alg": "PBES2-HS256+A128KW", "p2c": 1_000_000_000 }), "alg"),
        (json!({ "alg": "ES256", "crit": ["x"], "x": 1 }), "crit"),
        (json!({ "alg": "ES256", "crit": ["b64"], "b64": false }), "crit"),
        (json!({ "alg": "ES256", "crit": [] }), "crit"),
        (json!({ "alg": "ES256", "crit": null }), "crit"),
        (json!({ "alg": "ES256", "kid": 7 }), "kid"),
    ];
    for (header, member) in table {
        assert_eq!(
            check(&key, &with_header(&key, &header), &EXPECTED),
            Err(JwtError::Header(member)),
            "{header}"
        );
    }
    let none = Expected { algorithms: &[Rs256, EdDsa], ..EXPECTED };
    let token = with_header(&key, &json!({ "alg": "ES256" }));
    assert_eq!(check(&key, &token, &none), Err(JwtError::Header("alg")));
}

/// RFC 8725 §2.1: the public key is no secret, in whatever form.
#[test]
fn a_public_key_is_not_taken_for_a_shared_secret() {
    let key = SigningKey::generate(Rs256).unwrap();
    let modulus = URL_SAFE_NO_PAD.decode(key.jwk()["n"].as_str().unwrap()).unwrap();
    for secret in [modulus, key.jwk().to_string().into_bytes(), Vec::new()] {
        for alg in ["HS256", "RS256"] {
            let header = json!({ "alg": alg, "kid": key.id() }).to_string();
            let message = format!(
                "{}.{}",
                URL_SAFE_NO_PAD.encode(header),
                URL_SAFE_NO_PAD.encode(claims().to_string())
            );
            let tag = hmac::sign(&hmac::Key::new(HMAC_SHA256, &secret), message.as_bytes());
            let token = format!("{message}.{}", URL_SAFE_NO_PAD.encode(tag));
            let refused = if alg == "HS256" { JwtError::Header("alg") } else { JwtError::Signature };
            assert_eq!(check(&key, &token, &EXPECTED), Err(refused));
        }
    }
}

#[test]
fn keys_come_from_the_caller_and_never_from_the_token() {
    let (ours, theirs) = (key(), key());
    let mut header = json!({ "alg": "ES256", "jwk": theirs.jwk(), "jku": "http://127.0.0.1:9/", "x5u": "http://127.0.0.1:9/" });
    assert_eq!(check(&ours, &with_header(&theirs, &header), &EXPECTED), Err(JwtError::Signature));
    assert!(check(&ours, &with_header(&ours, &header), &EXPECTED).is_ok());
    for kid in ["../../etc/passwd", "' OR 1=1 --", "\0", theirs.id().as_str()] {
        header["kid"] = kid.into();
        assert_eq!(check(&ours, &with_header(&ours, &header), &EXPECTED), Err(JwtError::Key), "{kid:?}");
    }
    let token = sign(&ours, "JWT", &claims()).unwrap();
    assert_eq!(verify(&token, &[], &EXPECTED), Err(JwtError::Key));
    let both = [VerifyingKey::try_from(&theirs).unwrap(), VerifyingKey::try_from(&ours).unwrap()];
    assert!(verify(&token, &both, &EXPECTED).is_ok());
    assert!(verify(&with_header(&ours, &json!({ "alg": "ES256" })), &both, &EXPECTED).is_ok());
}

#[test]
fn there_is_one_way_to_write_a_token() {
    let key = key();
    let token = sign(&key, "JWT", &claims()).unwrap();
    let (message, signature) = token.rsplit_once('.').unwrap();
    let (header, payload) = message.split_once('.').unwrap();
    // Payloads of 16 bytes and one more end in stray bits where they are encoded.
    let padded = URL_SAFE.encode(format!("{} ", claims()));
    let table = [
        String::new(),
        ".".to_owned(),
        "..".to_owned(),
        message.to_owned(),
        format!("{message}."),
        format!(".{payload}.{signature}"),
        format!("{header}..{signature}"),
        format!("{token}."),
        format!("{token}.AA"),
        format!("{token}.AA.AA"),
        format!("{token}=="),
        format!("{token} "),
        format!("{token}\n"),
        format!(" {token}"),
        format!("\u{feff}{token}"),
        format!("{token}\0"),
        format!("{header}=.{payload}.{signature}"),
        format!("{header}.{payload}=.{signature}"),
        format!("{header} .{payload}.{signature}"),
        format!("{header}.{payload}.{signature}A"),
        format!("{header}.{padded}.{signature}"),
        json!({ "payload": payload, "protected": header, "signature": signature }).to_string(),
        token.replace('.', ","),
        token.replace('-', "+").replace('_', "/") + "+",
    ];
    for text in table {
        assert!(check(&key, &text, &EXPECTED).is_err(), "{text:?}");
    }
    assert!(check(&key, &token, &EXPECTED).is_ok());
}

#[test]
fn json_that_could_be_read_in_two_ways_is_refused_though_signed() {
    let key = key();
    let good = claims().to_string();
    let doubled = good.replacen('{', r#"{"sub":"bert","#, 1);
    let escaped = good.replacen('{', r#"{"s\u0075b":"bert","#, 1);
    let payloads = [
        doubled,
        escaped,
        format!("{good}{good}"),
        format!("{good}\0"),
        format!("\u{feff}{good}"),
        "[]".into(),
        "{".into(),
    ];
    for payload in payloads {
        let token = raw(&key, r#"{"alg":"ES256"}"#, &payload);
        assert_eq!(check(&key, &token, &EXPECTED), Err(JwtError::Malformed("payload")), "{payload}");
    }
    for header in [
        r#"{"alg":"ES256","alg":"ES256"}"#,
        r#"{"alg":"none","alg":"ES256"}"#,
        r#"{"alg":"ES256"} x"#,
        "null",
    ] {
        let token = raw(&key, header, &good);
        assert_eq!(check(&key, &token, &EXPECTED), Err(JwtError::Malformed("header")), "{header}");
    }
}

#[test]
fn stray_bits_at_the_end_of_a_part_are_refused() {
    let key = key();
    let token = sign(&key, "JWT", &claims()).unwrap();
    // 64 bytes of signature leave four unused bits in the last character.
    let (start, last) = token.split_at(token.len() - 1);
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let value = alphabet.find(last).unwrap();
    let stray = format!("{start}{}", alphabet.chars().nth(value + 1).unwrap());
    assert_eq!(check(&key, &stray, &EXPECTED), Err(JwtError::Signature));
}

#[test]
fn signatures_of_nothing_are_refused() {
    let key = key();
    let token = sign(&key, "JWT", &claims()).unwrap();
    let (message, _) = token.rsplit_once('.').unwrap();
    let der = [0x30, 6, 2, 1, 0, 2, 1, 0];
    for signature in [vec![0; 64], vec![0xff; 64], vec![0; 63], vec![0; 96], vec![], der.to_vec()] {
        let token = format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature));
        assert_eq!(check(&key, &token, &EXPECTED), Err(JwtError::Signature));
    }
}

#[test]
fn a_long_token_is_refused_before_it_is_read() {
    let key = key();
    let padding = |length: usize| sign(&key, "JWT", &changed(&json!({ "pad": "x".repeat(length) }))).unwrap();
    assert!(check(&key, &padding(11_000), &EXPECTED).is_ok());
    assert_eq!(check(&key, &padding(13_000), &EXPECTED), Err(JwtError::TooLong));
    assert_eq!(check(&key, &"x".repeat(5 << 20), &EXPECTED), Err(JwtError::TooLong));
    assert_eq!(claimed_subject(&padding(13_000)), Err(JwtError::TooLong));
}

#[test]
fn a_nested_token_is_not_opened() {
    let key = key();
    let inner = sign(&key, "JWT", &claims()).unwrap();
    let nested = raw(&key, r#"{"alg":"ES256","cty":"JWT"}"#, &inner);
    assert_eq!(check(&key, &nested, &EXPECTED), Err(JwtError::Malformed("payload")));
}

#[test]
fn the_claimed_subject_is_read_without_a_key() {
    let token = sign(&key(), "JWT", &claims()).unwrap();
    assert_eq!(claimed_subject(&token).as_deref(), Ok("anna"));
    let token = sign(&key(), "JWT", &json!({ "sub": 7 })).unwrap();
    assert_eq!(claimed_subject(&token), Err(JwtError::Claim("sub")));
    assert_eq!(claimed_subject("x"), Err(JwtError::Malformed("not three parts")));
}

#[test]
fn claims_that_json_cannot_hold_are_not_signed() {
    let key = key();
    let floats = std::collections::BTreeMap::from([((1, 2), 3)]);
    assert_eq!(sign(&key, "JWT", &floats), Err(JwtError::Claims));
}

proptest! {
    #[test]
    fn no_text_makes_verification_panic(text in "[A-Za-z0-9_.=-]{0,200}") {
        let key = SigningKey::generate(EdDsa).unwrap();
        prop_assert!(check(&key, &text, &EXPECTED).is_err());
        prop_assert!(claimed_subject(&text).is_err());
    }

    #[test]
    fn no_altered_character_is_accepted(at in 0usize..300, with in "[A-Za-z0-9_.=-]") {
        let key = SigningKey::generate(EdDsa).unwrap();
        let token = sign(&key, "JWT", &claims()).unwrap();
        let at = at % token.len();
        let altered = format!("{}{with}{}", token.get(..at).unwrap(), token.get(at + 1..).unwrap());
        prop_assert_eq!(check(&key, &altered, &EXPECTED).is_ok(), altered == token);
    }

    #[test]
    fn any_claims_come_back(extra in proptest::collection::btree_map("x[a-z]{1,8}", ".*", 0..5)) {
        let key = SigningKey::generate(EdDsa).unwrap();
        let token = sign(&key, "JWT", &changed(&json!(extra))).unwrap();
        prop_assert_eq!(check(&key, &token, &EXPECTED).map(Value::Object), Ok(changed(&json!(extra))));
    }
}
