//! Password hashes of other systems: a scheme with its parameters, a salt and a digest.
//!
//! [`notation`] parses the notations of other systems (`docs/password-hashes.md` lists them). Hashes are stored in one
//! notation of our own, so that a sign-in needs no other parser. A digest that is cheaper to attack than our Argon2id
//! is wrapped: Argon2id over the digest is stored, the digest is not.
//!
//! One check costs at most 1 s on one core and 64 MiB. The exception is Argon2 in Django's notation, where 100 MiB are
//! accepted: that is what Django's default parameters take, so a lower bound would refuse all its users.

mod argon2;
mod bcrypt;
mod derivation;
mod encoding;
mod keycloak;
pub(super) mod notation;
mod parameters;
mod pbkdf2;
mod salted_sha;
mod scheme;
mod scrypt;
mod sha_crypt;

pub(crate) use self::derivation::ImportError;
pub(super) use self::derivation::{DUMMY_SALT, Derivation, HashCost, MAX_KIB};
pub(super) use self::scheme::{ImportedHash, Scheme};

#[cfg(test)]
mod tests;
