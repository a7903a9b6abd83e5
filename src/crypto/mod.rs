//! Cryptography: random values, hashes, encryption at rest, signing keys, tokens, passwords and one-time codes.
//!
//! Primitives come from aws-lc-rs, Argon2 from argon2, one-time codes from totp-rs, passkeys from webauthn-rs. This
//! module decides once *how* they are used. It reads no clock: callers pass the time.

mod hex;
pub(crate) mod jwt;
pub(crate) mod keys;
pub(crate) mod otp;
pub(crate) mod pairwise;
pub(crate) mod password;
pub(crate) mod random;
pub(crate) mod seal;
pub(crate) mod secret;
pub(crate) mod webauthn;
