//! JSON Web Tokens: the signer, and the strict verification of every JWT that is consumed here.
//!
//! Signatures are checked by jsonwebtoken over aws-lc-rs. Claims and header are checked by [`verify`] alone: the
//! library accepts missing and duplicate claims, overlapping audiences and repeated JSON members (measured), and reads
//! a clock of its own.

mod jwk;
mod left_half;
mod sign;
pub(crate) mod strict_json;
mod verify;

pub(crate) use jwk::{JwkError, VerifyingKey};
pub(crate) use left_half::left_half_hash;
pub(crate) use sign::sign;
pub(crate) use verify::{
    AudienceRule, Expected, Subject, claimed_key_id, claimed_subject, verify, verify_mac,
};

/// The reason why a JWT was not signed or not accepted. For the log; the sender does not see it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum JwtError {
    /// More than 16 KiB.
    #[error("the token is longer than 16 KiB")]
    TooLong,
    /// Not a JWS in compact serialization, or not in its canonical encoding.
    #[error("the token is malformed: {0}")]
    Malformed(&'static str),
    /// An unsupported header member.
    #[error("the header member {0} is not acceptable")]
    Header(&'static str),
    /// No key fits `alg` and `kid`.
    #[error("no key for this token")]
    Key,
    /// The signature does not verify.
    #[error("the signature is wrong")]
    Signature,
    /// A claim is missing, of the wrong type, or not what was expected.
    #[error("the claim {0} is not acceptable")]
    Claim(&'static str),
    /// `exp` is in the past.
    #[error("the token has expired")]
    Expired,
    /// The claims do not serialize to a JSON object.
    #[error("the claims cannot be written")]
    Claims,
    /// The key failed to sign.
    #[error(transparent)]
    Signing(#[from] super::keys::KeyError),
}

#[cfg(test)]
mod tests;
