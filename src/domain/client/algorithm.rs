//! Algorithms of tokens and assertions, by the names of RFC 7518, RFC 8037 and RFC 9864.
//!
//! Signatures and message authentication codes are separate types, so that one cannot be confused with the other.

use serde::{Deserialize, Serialize};

/// Signature algorithms of issuers (RFC 7518 §3.1, RFC 8037, RFC 9864).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SigningAlgorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256
    #[serde(rename = "RS256")]
    Rs256,
    /// ECDSA with P-256 and SHA-256
    #[serde(rename = "ES256")]
    Es256,
    /// Ed25519 under its deprecated name, for older libraries
    #[serde(rename = "EdDSA")]
    EdDsa,
    /// Ed25519 under its own name (RFC 9864 §2.2)
    Ed25519,
}

impl SigningAlgorithm {
    /// All algorithms; the first is the one every client supports (OpenID Connect Core §15.1).
    pub const ALL: [Self; 4] = [Self::Rs256, Self::Es256, Self::EdDsa, Self::Ed25519];

    /// The algorithms for which every issuer has a key. Keys of the others are published only if a client uses them,
    /// because a verifier that supports RSA and EC only may fail on them.
    pub const STANDARD: [Self; 2] = [Self::Rs256, Self::Es256];

    /// The value of `alg`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
            Self::Ed25519 => "Ed25519",
        }
    }

    /// Returns whether both are names of the same signature, so that a key for one verifies the other.
    pub fn is_same_signature(self, other: Self) -> bool {
        const ED25519: [SigningAlgorithm; 2] = [SigningAlgorithm::EdDsa, SigningAlgorithm::Ed25519];
        self == other || (ED25519.contains(&self) && ED25519.contains(&other))
    }
}

/// Message authentication codes with a shared secret (RFC 7518 §3.2).
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
    /// All algorithms.
    pub const ALL: [Self; 3] = [Self::Hs256, Self::Hs384, Self::Hs512];

    /// The value of `alg`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::Hs384 => "HS384",
            Self::Hs512 => "HS512",
        }
    }

    /// Minimum length of its secret in bytes: that of the hash (RFC 7518 §3.2).
    pub const fn secret_min(self) -> usize {
        match self {
            Self::Hs256 => 32,
            Self::Hs384 => 48,
            Self::Hs512 => 64,
        }
    }
}

/// The algorithm of a client's assertion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum AssertionAlgorithm {
    /// `private_key_jwt`
    Signature(SigningAlgorithm),
    /// `client_secret_jwt`
    Mac(MacAlgorithm),
}

impl AssertionAlgorithm {
    /// All names in the order of discovery.
    pub const NAMES: [&str; 7] = ["RS256", "ES256", "EdDSA", "Ed25519", "HS256", "HS384", "HS512"];

    /// The value of `alg`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Signature(algorithm) => algorithm.as_str(),
            Self::Mac(algorithm) => algorithm.as_str(),
        }
    }
}
