//! What tokens and assertions are signed with, by the names of RFC 7518 and RFC 8037.
//!
//! Signatures and authentication codes are two types, so that nobody who expects the one can be given the other.

use serde::{Deserialize, Serialize};

/// Signature algorithms (RFC 7518 §3.1, RFC 8037) that an issuer has a key for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SigningAlgorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256
    #[serde(rename = "RS256")]
    Rs256,
    /// ECDSA with P-256 and SHA-256
    #[serde(rename = "ES256")]
    Es256,
    /// Ed25519
    #[serde(rename = "EdDSA")]
    EdDsa,
}

impl SigningAlgorithm {
    /// All of them; the first is the one every client understands (OpenID Connect Core §15.1).
    pub const ALL: [Self; 3] = [Self::Rs256, Self::Es256, Self::EdDsa];

    /// The value of `alg`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
        }
    }
}

/// Authentication codes (RFC 7518 §3.2), for which both sides know the secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MacAlgorithm {
    /// HMAC with SHA-256
    #[serde(rename = "HS256")]
    Hs256,
    /// HMAC with SHA-384
    #[serde(rename = "HS384")]
    Hs384,
    /// HMAC with SHA-512
    #[serde(rename = "HS512")]
    Hs512,
}

impl MacAlgorithm {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Hs256, Self::Hs384, Self::Hs512];

    /// The value of `alg`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::Hs384 => "HS384",
            Self::Hs512 => "HS512",
        }
    }

    /// Bytes that its secret must have at least: as many as the hash (RFC 7518 §3.2).
    pub const fn secret_min(self) -> usize {
        match self {
            Self::Hs256 => 32,
            Self::Hs384 => 48,
            Self::Hs512 => 64,
        }
    }
}

/// What an assertion of a client may be made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum AssertionAlgorithm {
    /// `private_key_jwt`
    Signature(SigningAlgorithm),
    /// `client_secret_jwt`
    Mac(MacAlgorithm),
}

impl AssertionAlgorithm {
    /// The names of all of them, as discovery lists them.
    pub const NAMES: [&str; 6] = ["RS256", "ES256", "EdDSA", "HS256", "HS384", "HS512"];

    /// The value of `alg`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Signature(algorithm) => algorithm.as_str(),
            Self::Mac(algorithm) => algorithm.as_str(),
        }
    }
}
