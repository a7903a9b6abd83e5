//! The notations of other systems, distinguished by their prefix.

use super::derivation::{DerivedHash, ImportError, MAX_KIB, MAX_KIB_DJANGO};
use super::encoding::base64;
use super::salted_sha::SaltedShaScheme;
use super::scheme::{ImportedHash, Scheme};
use super::{argon2, bcrypt, keycloak, pbkdf2, salted_sha, scrypt, sha_crypt};

/// The hash of one scheme as a hash of any.
fn any<S>(
    parsed: Result<DerivedHash<S>, ImportError>,
    scheme: fn(S) -> Scheme,
) -> Result<ImportedHash, ImportError> {
    parsed.map(|hash| hash.map(scheme))
}

/// Parses a hash in any accepted notation.
pub(in super::super) fn parse(text: &str) -> Result<ImportedHash, ImportError> {
    if text.starts_with("{\"") {
        return keycloak::parse(text);
    }
    if let Some((name, rest)) = text.strip_prefix('{').and_then(|rest| rest.split_once('}')) {
        return parse_ldap(name, rest);
    }
    if let Some(crypt) = text.strip_prefix("bcrypt_sha256$") {
        return any(bcrypt::parse(crypt, true), Scheme::Bcrypt);
    }
    if let Some(crypt) = text.strip_prefix("bcrypt$") {
        return any(bcrypt::parse(crypt, false), Scheme::Bcrypt);
    }
    if let Some(phc) = text.strip_prefix("argon2$") {
        return any(argon2::parse(&format!("${phc}"), MAX_KIB_DJANGO), Scheme::Argon2);
    }
    match text.split('$').next() {
        Some("") => parse_modular(text),
        Some("scrypt") => any(scrypt::parse_django(text), Scheme::Scrypt),
        Some(name) if name.starts_with("scrypt:") => any(scrypt::parse_werkzeug(text), Scheme::Scrypt),
        Some(name) if name.starts_with("pbkdf2:") => any(pbkdf2::parse_werkzeug(text), Scheme::Pbkdf2),
        Some(name) if name.starts_with("pbkdf2_") => any(pbkdf2::parse_django(text), Scheme::Pbkdf2),
        _ => match base64(text) {
            Some(bytes) if bytes.first() == Some(&1) => any(pbkdf2::parse_aspnet(&bytes), Scheme::Pbkdf2),
            _ => Err(ImportError::Unknown),
        },
    }
}

/// Parses a hash that begins with `$` and a name.
fn parse_modular(text: &str) -> Result<ImportedHash, ImportError> {
    match text.split('$').nth(1) {
        Some("2a" | "2b" | "2y") => any(bcrypt::parse(text, false), Scheme::Bcrypt),
        Some("5" | "6") => any(sha_crypt::parse(text), Scheme::ShaCrypt),
        Some("argon2d" | "argon2i" | "argon2id") => any(argon2::parse(text, MAX_KIB), Scheme::Argon2),
        Some("firebase-scrypt") => any(scrypt::parse_firebase(text), Scheme::Scrypt),
        Some("pbkdf2" | "pbkdf2-sha1" | "pbkdf2-sha256" | "pbkdf2-sha512") => {
            any(pbkdf2::parse(text), Scheme::Pbkdf2)
        }
        Some("scrypt") => any(scrypt::parse(text), Scheme::Scrypt),
        _ => Err(ImportError::Unknown),
    }
}

/// Parses a hash behind a name in braces; some directories and Spring put one before a modular hash.
fn parse_ldap(name: &str, rest: &str) -> Result<ImportedHash, ImportError> {
    match name.to_ascii_lowercase().as_str() {
        "crypt" | "bcrypt" | "argon2" => parse_modular(rest),
        name => match SaltedShaScheme::read(name) {
            Some(scheme) => any(salted_sha::parse(scheme, rest), Scheme::SaltedSha),
            None => Err(ImportError::Unknown),
        },
    }
}
