//! JSON Web Tokens: one thin signer, and the one strict verification for every JWT that is consumed here.
//!
//! Signatures are checked by jsonwebtoken over aws-lc-rs. What a token must *say* is checked by [`verify`] alone:
//! the library accepts missing and doubled claims, overlapping audiences and repeated JSON members (measured), and
//! asks a clock of its own.

mod jwk;
mod sign;
pub(crate) mod strict_json;
mod verify;

pub(crate) use jwk::{JwkError, VerifyingKey};
pub(crate) use sign::sign;
pub(crate) use verify::{Audience, Expected, Subject, claimed_key_id, claimed_subject, verify, verify_mac};

/// Why a JWT was not made or not accepted: for the log, never for whoever sent it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum JwtError {
    /// More than 16 KiB.
    #[error("the token is longer than 16 KiB")]
    TooLong,
    /// Not a JWS in its compact form, or not the one way of writing it.
    #[error("the token is malformed: {0}")]
    Malformed(&'static str),
    /// A header member that forbids the token.
    #[error("the header member {0} is not acceptable")]
    Header(&'static str),
    /// None of the keys is meant.
    #[error("no key for this token")]
    Key,
    /// The signature is wrong.
    #[error("the signature is wrong")]
    Signature,
    /// A claim is missing, of the wrong type, or not what was expected.
    #[error("the claim {0} is not acceptable")]
    Claim(&'static str),
    /// It was good once.
    #[error("the token has expired")]
    Expired,
    /// The claims could not be written as a JSON object.
    #[error("the claims cannot be written")]
    Claims,
    /// The key did not sign.
    #[error(transparent)]
    Signing(#[from] super::keys::KeyError),
}

#[cfg(test)]
mod tests;
