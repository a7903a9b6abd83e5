//! Verification keys: our own, and those of clients as JWKs (RFC 7517, RFC 7518 §6, RFC 8037 §2).

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
    VerificationAlgorithm,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::{Map, Value};

use crate::crypto::keys::SigningKey;
use crate::domain::client::SigningAlgorithm;

/// Maximum number of keys in a set; each may cost one verification.
const MAX_KEYS: usize = 16;

/// Members of private keys (RFC 7518 §6.2.2, §6.3.2, §6.4.1).
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// RSA moduli in bytes: 2048 to 8192 bits.
const MODULUS_LENGTH: std::ops::RangeInclusive<usize> = 256..=1024;

/// RSA exponents: 65537 (FIPS 186-5 §5.4) to what fits in 32 bits.
const EXPONENT: std::ops::RangeInclusive<u64> = 65_537..=0xffff_ffff;

/// A public key and its algorithm. An Ed25519 key is accepted under both names of its algorithm (`EdDSA`, `Ed25519`).
#[derive(Clone)]
pub(crate) struct VerifyingKey {
    id: Option<String>,
    algorithm: SigningAlgorithm,
    key: DecodingKey,
}

/// The reason why a JWK or a set is rejected; the texts are shown to the person who registers a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum JwkError {
    /// Not a set.
    #[error("is not a JWK set: an object with an array `keys` is expected")]
    NotASet,
    /// It contains no key for an accepted signature algorithm.
    #[error("holds no key for RS256, ES256 or Ed25519 signatures")]
    Empty,
    /// It contains more than 16 keys.
    #[error("holds more than 16 keys")]
    TooMany,
    /// It contains a private or symmetric key, which must never leave the client.
    #[error("holds a private or symmetric key: register public keys only, and make new ones")]
    Private,
    /// A member is missing or malformed, or the point is not on the curve.
    #[error("holds a malformed key")]
    Malformed,
    /// RSA of fewer than 2048 bits, or with a small or even exponent.
    #[error("holds a weak key: RSA needs 2048 to 8192 bits and an odd exponent from 65537 on")]
    Weak,
    /// `use`, `key_ops` or `alg` do not fit the key.
    #[error("holds a key whose use, key_ops or alg does not fit")]
    Unfit,
}

impl VerifyingKey {
    /// The signature keys of a set. Keys of other types or uses are skipped (RFC 7517 §5); one invalid key rejects the
    /// set.
    pub(crate) fn from_set(set: &Value) -> Result<Vec<Self>, JwkError> {
        let keys = set.get("keys").and_then(Value::as_array).ok_or(JwkError::NotASet)?;
        if keys.len() > MAX_KEYS {
            return Err(JwkError::TooMany);
        }
        let read: Result<Vec<_>, _> = keys.iter().filter_map(|key| Self::from_jwk(key).transpose()).collect();
        read.and_then(|keys| if keys.is_empty() { Err(JwkError::Empty) } else { Ok(keys) })
    }

    /// The signature keys of a set that a client publishes. Every unusable key is skipped, because it may be there for
    /// other systems (RFC 7517 §5).
    pub(crate) fn from_published(set: &Value) -> Result<Vec<Self>, JwkError> {
        let keys = set.get("keys").and_then(Value::as_array).ok_or(JwkError::NotASet)?;
        let usable = keys.iter().filter_map(|key| Self::from_jwk(key).ok().flatten());
        let usable: Vec<_> = usable.take(MAX_KEYS).collect();
        if usable.is_empty() { Err(JwkError::Empty) } else { Ok(usable) }
    }

    /// The key of a client; `None` if its type or use is not for signatures.
    pub(crate) fn from_jwk(jwk: &Value) -> Result<Option<Self>, JwkError> {
        let jwk = jwk.as_object().ok_or(JwkError::Malformed)?;
        let kind = text(jwk, "kty")?.ok_or(JwkError::Malformed)?;
        if kind == "oct" || PRIVATE.iter().any(|&member| jwk.contains_key(member)) {
            return Err(JwkError::Private);
        }
        if text(jwk, "use")?.is_some_and(|purpose| purpose != "sig") {
            return Ok(None);
        }
        if jwk
            .get("key_ops")
            .is_some_and(|ops| !ops.as_array().is_some_and(|ops| ops.contains(&"verify".into())))
        {
            return Err(JwkError::Unfit);
        }
        let (algorithm, key) = match (kind, text(jwk, "crv")?) {
            ("RSA", _) => (SigningAlgorithm::Rs256, rsa(jwk)?),
            ("EC", Some("P-256")) => (SigningAlgorithm::Es256, p256(jwk)?),
            ("OKP", Some("Ed25519")) => (SigningAlgorithm::EdDsa, ed25519(jwk)?),
            _ => return Ok(None),
        };
        if text(jwk, "alg")?.is_some_and(|alg| !names_signature(alg, algorithm)) {
            return Ok(None);
        }
        let id = text(jwk, "kid")?.map(str::to_owned);
        Ok(Some(Self { id, algorithm, key }))
    }

    /// Returns whether the key fits a token with this algorithm and `kid`. If one of them has no `kid`, only the
    /// algorithm counts.
    pub(super) fn fits(&self, algorithm: SigningAlgorithm, kid: Option<&str>) -> bool {
        self.algorithm.is_same_signature(algorithm) && self.answers_to(kid)
    }

    /// Returns whether a token with this `kid` may refer to this key; true if one of them has none.
    pub(crate) fn answers_to(&self, kid: Option<&str>) -> bool {
        kid.zip(self.id.as_deref()).is_none_or(|(wanted, own)| wanted == own)
    }

    /// Verifies a signature over the message. `signature` is base64url, as in the token.
    pub(super) fn verifies(&self, message: &[u8], signature: &str) -> bool {
        let algorithm = match self.algorithm {
            SigningAlgorithm::Rs256 => Algorithm::RS256,
            SigningAlgorithm::Es256 => Algorithm::ES256,
            SigningAlgorithm::EdDsa | SigningAlgorithm::Ed25519 => Algorithm::EdDSA,
        };
        jsonwebtoken::crypto::verify(signature, message, &self.key, algorithm).unwrap_or(false)
    }
}

impl TryFrom<&SigningKey> for VerifyingKey {
    type Error = JwkError;

    fn try_from(key: &SigningKey) -> Result<Self, JwkError> {
        Self::from_jwk(key.jwk())?.ok_or(JwkError::Unfit)
    }
}

impl std::fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "VerifyingKey({} {})", self.algorithm.as_str(), self.id.as_deref().unwrap_or("-"))
    }
}

/// Returns whether the name is one of those of the algorithm.
fn names_signature(name: &str, algorithm: SigningAlgorithm) -> bool {
    let mut same = SigningAlgorithm::ALL.into_iter().filter(|other| other.is_same_signature(algorithm));
    same.any(|same| same.as_str() == name)
}

fn rsa(jwk: &Map<String, Value>) -> Result<DecodingKey, JwkError> {
    let (n, e) = (bytes(jwk, "n")?, bytes(jwk, "e")?);
    // RFC 7518 §2: no leading zero bytes.
    if n.first() == Some(&0) || e.first() == Some(&0) {
        return Err(JwkError::Malformed);
    }
    let long =
        MODULUS_LENGTH.contains(&n.len()) && (n.len() > 256 || n.first().is_some_and(|&top| top >= 0x80));
    let exponent = e.iter().try_fold(0u64, |sum, &byte| Some(sum.checked_mul(256)? + u64::from(byte)));
    let odd = |number: Option<&u8>| number.is_some_and(|low| low % 2 == 1);
    if !long || !odd(n.last()) || !odd(e.last()) || !exponent.is_some_and(|e| EXPONENT.contains(&e)) {
        return Err(JwkError::Weak);
    }
    let components = RsaPublicKeyComponents { n: &n, e: &e };
    components.to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256).map_err(|_| JwkError::Malformed)?;
    Ok(DecodingKey::from_rsa_raw_components(&n, &e))
}

fn p256(jwk: &Map<String, Value>) -> Result<DecodingKey, JwkError> {
    let point = [vec![4], coordinate(jwk, "x")?, coordinate(jwk, "y")?].concat();
    parses(&ECDSA_P256_SHA256_FIXED, &point)?;
    Ok(DecodingKey::from_ec_der(&point))
}

fn ed25519(jwk: &Map<String, Value>) -> Result<DecodingKey, JwkError> {
    let point = coordinate(jwk, "x")?;
    parses(&ED25519, &point)?;
    Ok(DecodingKey::from_ed_der(&point))
}

/// Checks that the point is on the curve.
fn parses(algorithm: &'static dyn VerificationAlgorithm, point: &[u8]) -> Result<(), JwkError> {
    UnparsedPublicKey::new(algorithm, point).parse().map(|_| ()).map_err(|_| JwkError::Malformed)
}

/// A coordinate of 32 bytes (RFC 7518 §6.2.1.2, RFC 8037 §2).
fn coordinate(jwk: &Map<String, Value>, name: &str) -> Result<Vec<u8>, JwkError> {
    bytes(jwk, name).and_then(|bytes| if bytes.len() == 32 { Ok(bytes) } else { Err(JwkError::Malformed) })
}

fn bytes(jwk: &Map<String, Value>, name: &str) -> Result<Vec<u8>, JwkError> {
    let text = text(jwk, name)?.ok_or(JwkError::Malformed)?;
    URL_SAFE_NO_PAD.decode(text).map_err(|_| JwkError::Malformed)
}

/// An optional member, which must be a string.
fn text<'a>(jwk: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, JwkError> {
    jwk.get(name).map(|value| value.as_str().ok_or(JwkError::Malformed)).transpose()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// A valid key with some members replaced; `null` removes one.
    fn changed(algorithm: SigningAlgorithm, changes: &Value) -> Value {
        let mut jwk = SigningKey::generate(algorithm).unwrap().jwk().clone();
        for (name, value) in changes.as_object().unwrap() {
            match value {
                Value::Null => jwk.as_object_mut().unwrap().remove(name),
                _ => jwk.as_object_mut().unwrap().insert(name.clone(), value.clone()),
            };
        }
        jwk
    }

    #[test]
    fn our_own_keys_verify() {
        for algorithm in SigningAlgorithm::ALL {
            let key = SigningKey::generate(algorithm).unwrap();
            let verifying = VerifyingKey::try_from(&key).unwrap();
            let signature = URL_SAFE_NO_PAD.encode(key.sign(b"message").unwrap());
            assert!(verifying.verifies(b"message", &signature));
            assert!(!verifying.verifies(b"massage", &signature));
            for bad in ["", "AA", "=", &"A".repeat(86), &"A".repeat(342)] {
                assert!(!verifying.verifies(b"message", bad), "{algorithm:?} {bad}");
            }
        }
    }

    #[test]
    fn weak_private_and_broken_keys_are_refused() {
        use SigningAlgorithm::{EdDsa, Es256, Rs256};
        let rsa_of = |bytes: usize| URL_SAFE_NO_PAD.encode([vec![0xff; bytes - 1], vec![1]].concat());
        let bits_2047 = URL_SAFE_NO_PAD.encode([vec![0x7f; 255], vec![1]].concat());
        let zero = URL_SAFE_NO_PAD.encode([0; 32]);
        let table = [
            ("1024 bits", changed(Rs256, &json!({ "n": rsa_of(128) })), JwkError::Weak),
            ("2040 bits", changed(Rs256, &json!({ "n": rsa_of(255) })), JwkError::Weak),
            ("2047 bits", changed(Rs256, &json!({ "n": bits_2047 })), JwkError::Weak),
            ("8200 bits", changed(Rs256, &json!({ "n": rsa_of(1025) })), JwkError::Weak),
            ("e = 1", changed(Rs256, &json!({ "e": "AQ" })), JwkError::Weak),
            ("e = 3", changed(Rs256, &json!({ "e": "Aw" })), JwkError::Weak),
            ("e = 65536", changed(Rs256, &json!({ "e": "AQAA" })), JwkError::Weak),
            ("e of 40 bits", changed(Rs256, &json!({ "e": "AQAAAAE" })), JwkError::Weak),
            ("leading zero", changed(Rs256, &json!({ "e": "AAEAAQ" })), JwkError::Malformed),
            ("no n", changed(Rs256, &json!({ "n": null })), JwkError::Malformed),
            ("n a number", changed(Rs256, &json!({ "n": 7 })), JwkError::Malformed),
            ("padded e", changed(Rs256, &json!({ "e": "AQAB====" })), JwkError::Malformed),
            ("not on the curve", changed(Es256, &json!({ "x": zero })), JwkError::Malformed),
            ("short y", changed(Es256, &json!({ "y": "AA" })), JwkError::Malformed),
            ("short x", changed(EdDsa, &json!({ "x": "AA" })), JwkError::Malformed),
            ("private EC", changed(Es256, &json!({ "d": zero })), JwkError::Private),
            ("private RSA", changed(Rs256, &json!({ "p": zero })), JwkError::Private),
            ("symmetric", json!({ "kty": "oct", "k": zero }), JwkError::Private),
            ("for signing", changed(EdDsa, &json!({ "key_ops": ["sign"] })), JwkError::Unfit),
            ("no kty", changed(EdDsa, &json!({ "kty": null })), JwkError::Malformed),
            ("kid a number", changed(EdDsa, &json!({ "kid": 7 })), JwkError::Malformed),
            ("no object", json!("key"), JwkError::Malformed),
        ];
        for (name, jwk, expected) in table {
            assert_eq!(VerifyingKey::from_jwk(&jwk).err(), Some(expected), "{name}");
            let good = SigningKey::generate(EdDsa).unwrap().jwk().clone();
            let set = json!({ "keys": [good, jwk] });
            assert_eq!(VerifyingKey::from_set(&set).err(), Some(expected), "{name} in a set");
        }
    }

    #[test]
    fn keys_that_do_not_concern_us_are_passed_over() {
        use SigningAlgorithm::{EdDsa, Es256, Rs256};
        let others = [
            changed(Rs256, &json!({ "use": "enc" })),
            changed(Rs256, &json!({ "alg": "PS256" })),
            changed(Rs256, &json!({ "alg": "HS256" })),
            changed(Es256, &json!({ "crv": "P-384" })),
            changed(EdDsa, &json!({ "crv": "X25519" })),
            json!({ "kty": "AKP", "pub": "AA" }),
        ];
        for jwk in &others {
            assert!(VerifyingKey::from_jwk(jwk).unwrap().is_none(), "{jwk}");
        }
        assert_eq!(VerifyingKey::from_set(&json!({ "keys": others })).err(), Some(JwkError::Empty));
        let good = SigningKey::generate(Es256).unwrap().jwk().clone();
        let set = json!({ "keys": [others[0], good] });
        assert_eq!(VerifyingKey::from_set(&set).unwrap().len(), 1);
    }

    #[test]
    fn an_ed25519_key_serves_under_both_names() {
        use SigningAlgorithm::{Ed25519, EdDsa, Es256};
        for own in [json!("EdDSA"), json!("Ed25519"), json!(null)] {
            let key = VerifyingKey::from_jwk(&changed(Ed25519, &json!({ "alg": own }))).unwrap().unwrap();
            assert!(key.fits(EdDsa, None) && key.fits(Ed25519, None) && !key.fits(Es256, None), "{own}");
        }
        for other in ["Ed448", "ES256", "ed25519"] {
            assert!(VerifyingKey::from_jwk(&changed(EdDsa, &json!({ "alg": other }))).unwrap().is_none());
        }
    }

    #[test]
    fn a_set_has_some_keys_and_not_too_many() {
        let key = SigningKey::generate(SigningAlgorithm::EdDsa).unwrap().jwk().clone();
        let set = |count: usize| json!({ "keys": vec![key.clone(); count] });
        assert_eq!(VerifyingKey::from_set(&set(16)).unwrap().len(), 16);
        assert_eq!(VerifyingKey::from_set(&set(17)).err(), Some(JwkError::TooMany));
        assert_eq!(VerifyingKey::from_set(&set(0)).err(), Some(JwkError::Empty));
        for set in [json!([]), json!({}), json!({ "keys": {} }), json!(null)] {
            assert_eq!(VerifyingKey::from_set(&set).err(), Some(JwkError::NotASet), "{set}");
        }
    }

    #[test]
    fn the_kid_decides_where_both_have_one() {
        let key = |id: Option<&str>| {
            let jwk = changed(SigningAlgorithm::EdDsa, &json!({ "kid": id }));
            VerifyingKey::from_jwk(&jwk).unwrap().unwrap()
        };
        let fits = |own, wanted| key(own).fits(SigningAlgorithm::EdDsa, wanted);
        assert!(fits(Some("a"), Some("a")) && fits(None, Some("a")) && fits(Some("a"), None));
        assert!(!fits(Some("a"), Some("b")));
        assert!(!key(Some("a")).fits(SigningAlgorithm::Es256, Some("a")));
    }

    proptest! {
        #[test]
        fn no_members_make_it_panic(kty in "RSA|EC|OKP", crv in "P-256|Ed25519", n in "[A-Za-z0-9_-]{0,60}", e in "[A-Za-z0-9_-]{0,12}") {
            let jwk = json!({ "kty": kty, "crv": crv, "n": n, "e": e, "x": n, "y": n });
            let read = VerifyingKey::from_jwk(&jwk);
            prop_assert!(kty != "RSA" || read.is_err());
        }
    }
}
