//! Signing keys: parsed once, shared, and exported as public JWKs.

use std::sync::Arc;

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::secret;
use crate::domain::client::SigningAlgorithm;
use crate::domain::ids::KeyId;

/// A signing key of an issuer. Clones share it.
#[derive(Clone)]
pub(crate) struct SigningKey(Arc<KeyInner>);

struct KeyInner {
    id: KeyId,
    algorithm: SigningAlgorithm,
    pair: PrivateKey,
    jwk: Value,
}

enum PrivateKey {
    Rsa(RsaKeyPair),
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

/// A key could not be generated, parsed, encoded or used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum KeyError {
    /// Generating the key failed.
    #[error("the signing key could not be made")]
    Generate,
    /// Not a PKCS#8 key for that algorithm.
    #[error("the signing key is not a PKCS#8 key for its algorithm")]
    Malformed,
    /// Encoding the key failed.
    #[error("the signing key could not be encoded")]
    Encode,
    /// Signing failed.
    #[error("the signing key failed to sign")]
    Sign,
}

impl SigningKey {
    /// Generates a key (RSA: 2048 bits), with the thumbprint of its public key as id (RFC 7638). RSA takes a tenth of a
    /// second, so it must not run on a thread that serves requests.
    pub(crate) fn generate(algorithm: SigningAlgorithm) -> Result<Self, KeyError> {
        let failed = |_| KeyError::Generate;
        let pair = match algorithm {
            SigningAlgorithm::Rs256 => {
                PrivateKey::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).map_err(failed)?)
            }
            SigningAlgorithm::Es256 => {
                PrivateKey::Ecdsa(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(failed)?)
            }
            SigningAlgorithm::EdDsa | SigningAlgorithm::Ed25519 => {
                PrivateKey::Ed25519(Ed25519KeyPair::generate().map_err(failed)?)
            }
        };
        let id = KeyId::new(secret::hash(&pair.public_members().to_string()).as_str());
        Ok(Self::new(id, algorithm, pair))
    }

    /// Parses a key written by [`Self::pkcs8`].
    pub(crate) fn from_pkcs8(id: KeyId, algorithm: SigningAlgorithm, pkcs8: &[u8]) -> Result<Self, KeyError> {
        let failed = |_| KeyError::Malformed;
        let pair = match algorithm {
            SigningAlgorithm::Rs256 => PrivateKey::Rsa(RsaKeyPair::from_pkcs8(pkcs8).map_err(failed)?),
            SigningAlgorithm::Es256 => PrivateKey::Ecdsa(
                EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8).map_err(failed)?,
            ),
            SigningAlgorithm::EdDsa | SigningAlgorithm::Ed25519 => {
                PrivateKey::Ed25519(Ed25519KeyPair::from_pkcs8(pkcs8).map_err(failed)?)
            }
        };
        Ok(Self::new(id, algorithm, pair))
    }

    fn new(id: KeyId, algorithm: SigningAlgorithm, pair: PrivateKey) -> Self {
        let mut jwk = pair.public_members();
        if let Value::Object(members) = &mut jwk {
            members.insert("use".to_owned(), "sig".into());
            members.insert("alg".to_owned(), algorithm.as_str().into());
            members.insert("kid".to_owned(), id.as_str().into());
        }
        Self(Arc::new(KeyInner { id, algorithm, pair, jwk }))
    }

    /// The private key as PKCS#8, for sealing and storing.
    pub(crate) fn pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let der = match &self.0.pair {
            PrivateKey::Rsa(pair) => pair.as_der().map(|der| der.as_ref().to_vec()),
            PrivateKey::Ecdsa(pair) => pair.to_pkcs8v1().map(|der| der.as_ref().to_vec()),
            PrivateKey::Ed25519(pair) => pair.to_pkcs8().map(|der| der.as_ref().to_vec()),
        };
        der.map(Zeroizing::new).map_err(|_| KeyError::Encode)
    }

    /// The value of `kid`.
    pub(crate) fn id(&self) -> &KeyId {
        &self.0.id
    }

    /// The value of `alg`.
    pub(crate) fn algorithm(&self) -> SigningAlgorithm {
        self.0.algorithm
    }

    /// The public key as JWK (RFC 7517, RFC 7518 §6, RFC 8037 §2).
    pub(crate) fn jwk(&self) -> &Value {
        &self.0.jwk
    }

    /// Signs a message in the format of JWS (RFC 7518 §3: ECDSA as two numbers of fixed length).
    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let random = SystemRandom::new();
        match &self.0.pair {
            PrivateKey::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                let signed = pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature);
                signed.map(|()| signature)
            }
            PrivateKey::Ecdsa(pair) => {
                pair.sign(&random, message).map(|signature| signature.as_ref().to_vec())
            }
            PrivateKey::Ed25519(pair) => pair.try_sign(message).map(|signature| signature.as_ref().to_vec()),
        }
        .map_err(|_| KeyError::Sign)
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SigningKey({} {})", self.0.algorithm.as_str(), self.0.id)
    }
}

impl PrivateKey {
    /// The required members of the public key in the order of RFC 7638 §3.2, so that the thumbprint is the hash of
    /// their text.
    fn public_members(&self) -> Value {
        let base64 = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        match self {
            Self::Rsa(pair) => {
                let key = pair.public_key();
                let (n, e) = (key.modulus(), key.exponent());
                let (n, e) = (n.big_endian_without_leading_zero(), e.big_endian_without_leading_zero());
                json!({ "e": base64(e), "kty": "RSA", "n": base64(n) })
            }
            Self::Ecdsa(pair) => {
                // An uncompressed point: the byte 4, then x and y.
                let point = pair.public_key().as_ref().get(1..).unwrap_or_default();
                let (x, y) = point.split_at(point.len() / 2);
                json!({ "crv": "P-256", "kty": "EC", "x": base64(x), "y": base64(y) })
            }
            Self::Ed25519(pair) => {
                json!({ "crv": "Ed25519", "kty": "OKP", "x": base64(pair.public_key().as_ref()) })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_survives_being_stored() {
        for algorithm in SigningAlgorithm::ALL {
            let key = SigningKey::generate(algorithm).unwrap();
            let again = SigningKey::from_pkcs8(key.id().clone(), algorithm, &key.pkcs8().unwrap()).unwrap();
            assert_eq!(key.jwk(), again.jwk());
            assert_eq!(again.algorithm(), algorithm);
        }
    }

    #[test]
    fn the_jwk_is_public_and_complete() {
        let expected: [(_, &[&str]); 4] = [
            (SigningAlgorithm::Rs256, &["alg", "e", "kid", "kty", "n", "use"]),
            (SigningAlgorithm::Es256, &["alg", "crv", "kid", "kty", "use", "x", "y"]),
            (SigningAlgorithm::EdDsa, &["alg", "crv", "kid", "kty", "use", "x"]),
            (SigningAlgorithm::Ed25519, &["alg", "crv", "kid", "kty", "use", "x"]),
        ];
        for (algorithm, members) in expected {
            let key = SigningKey::generate(algorithm).unwrap();
            let jwk = key.jwk().as_object().unwrap();
            let mut names: Vec<_> = jwk.keys().collect();
            names.sort();
            assert_eq!(names, members);
            assert_eq!(jwk["alg"], algorithm.as_str());
            assert_eq!(jwk["kid"], key.id().as_str());
        }
    }

    #[test]
    fn an_rsa_key_has_2048_bits_and_the_usual_exponent() {
        let key = SigningKey::generate(SigningAlgorithm::Rs256).unwrap();
        let n = URL_SAFE_NO_PAD.decode(key.jwk()["n"].as_str().unwrap()).unwrap();
        assert_eq!((n.len(), n[0] >> 7), (256, 1));
        assert_eq!(key.jwk()["e"], "AQAB");
    }

    /// RFC 8037, appendix A.1 to A.4: key, thumbprint and signature.
    #[test]
    fn the_ed25519_example_of_rfc_8037() {
        let seed = URL_SAFE_NO_PAD.decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A").unwrap();
        let prefix = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
        let pkcs8 = [prefix.as_slice(), &seed].concat();
        let id = KeyId::new("example");
        let key = SigningKey::from_pkcs8(id, SigningAlgorithm::EdDsa, &pkcs8).unwrap();
        assert_eq!(key.jwk()["x"], "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
        let thumbprint = secret::hash(&key.0.pair.public_members().to_string());
        assert_eq!(thumbprint.as_str(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
        let signature = key.sign(b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc").unwrap();
        assert_eq!(
            URL_SAFE_NO_PAD.encode(signature),
            "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
        );
    }

    #[test]
    fn what_is_no_key_for_the_algorithm_is_refused() {
        let ec = SigningKey::generate(SigningAlgorithm::Es256).unwrap().pkcs8().unwrap();
        for algorithm in [SigningAlgorithm::Rs256, SigningAlgorithm::EdDsa] {
            let read = SigningKey::from_pkcs8(KeyId::new("k"), algorithm, &ec);
            assert_eq!(read.err(), Some(KeyError::Malformed));
        }
        assert!(SigningKey::from_pkcs8(KeyId::new("k"), SigningAlgorithm::Es256, b"").is_err());
    }

    #[test]
    fn a_key_is_not_printed() {
        let key = SigningKey::generate(SigningAlgorithm::EdDsa).unwrap();
        assert_eq!(format!("{key:?}"), format!("SigningKey(EdDSA {})", key.id()));
    }
}
