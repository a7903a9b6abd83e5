//! `at_hash` and its relatives: the left half of a value's hash, by the hash function of the token's algorithm (OpenID
//! Connect Core §3.1.3.6).

use aws_lc_rs::digest::{SHA256, SHA512, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::domain::client::SigningAlgorithm;

/// Hashes `value` for a token that is signed with `algorithm`. Ed25519 hashes with SHA-512 (RFC 8032 §5.1).
pub(crate) fn left_half_hash(algorithm: SigningAlgorithm, value: &str) -> String {
    let function = match algorithm {
        SigningAlgorithm::Rs256 | SigningAlgorithm::Es256 => &SHA256,
        SigningAlgorithm::EdDsa | SigningAlgorithm::Ed25519 => &SHA512,
    };
    let hash = digest(function, value.as_bytes());
    let (left, _) = hash.as_ref().split_at(hash.as_ref().len() / 2);
    URL_SAFE_NO_PAD.encode(left)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_the_example_of_the_specification() {
        // OpenID Connect Core appendix A.3
        let access_token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
        assert_eq!(left_half_hash(SigningAlgorithm::Rs256, access_token), "77QmUPtjPfzWtF2AnpK9RQ");
        assert_eq!(left_half_hash(SigningAlgorithm::Ed25519, access_token).len(), 43);
    }
}
