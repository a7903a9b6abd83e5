//! The notations of other systems, distinguished by their prefix.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::salted_sha::SaltedShaScheme;
use super::{
    ImportError, ImportedHash, MAX_KIB, MAX_KIB_DJANGO, argon2, bcrypt, keycloak, pbkdf2, salted_sha, scrypt,
    sha_crypt,
};

/// With or without padding, as systems differ.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Parses a hash in any accepted notation.
pub(in super::super) fn parse(text: &str) -> Result<ImportedHash, ImportError> {
    if text.starts_with("{\"") {
        return keycloak::parse(text);
    }
    if let Some((name, rest)) = text.strip_prefix('{').and_then(|rest| rest.split_once('}')) {
        return parse_ldap(name, rest);
    }
    if let Some(crypt) = text.strip_prefix("bcrypt_sha256$") {
        return bcrypt::parse(crypt, true);
    }
    if let Some(crypt) = text.strip_prefix("bcrypt$") {
        return bcrypt::parse(crypt, false);
    }
    if let Some(phc) = text.strip_prefix("argon2$") {
        return argon2::parse(&format!("${phc}"), MAX_KIB_DJANGO);
    }
    match text.split('$').next() {
        Some("") => parse_modular(text),
        Some("scrypt") => scrypt::parse_django(text),
        Some(name) if name.starts_with("scrypt:") => scrypt::parse_werkzeug(text),
        Some(name) if name.starts_with("pbkdf2:") => pbkdf2::parse_werkzeug(text),
        Some(name) if name.starts_with("pbkdf2_") => pbkdf2::parse_django(text),
        _ => match base64(text) {
            Some(bytes) if bytes.first() == Some(&1) => pbkdf2::parse_aspnet(&bytes),
            _ => Err(ImportError::Unknown),
        },
    }
}

/// Parses a hash that begins with `$` and a name.
fn parse_modular(text: &str) -> Result<ImportedHash, ImportError> {
    match text.split('$').nth(1) {
        Some("2a" | "2b" | "2y") => bcrypt::parse(text, false),
        Some("5" | "6") => sha_crypt::parse(text),
        Some("argon2d" | "argon2i" | "argon2id") => argon2::parse(text, MAX_KIB),
        Some("firebase-scrypt") => scrypt::parse_firebase(text),
        Some("pbkdf2" | "pbkdf2-sha1" | "pbkdf2-sha256" | "pbkdf2-sha512") => pbkdf2::parse(text),
        Some("scrypt") => scrypt::parse(text),
        _ => Err(ImportError::Unknown),
    }
}

/// Parses a hash behind a name in braces; some directories and Spring put one before a modular hash.
fn parse_ldap(name: &str, rest: &str) -> Result<ImportedHash, ImportError> {
    match name.to_ascii_lowercase().as_str() {
        "crypt" | "bcrypt" | "argon2" => parse_modular(rest),
        name => match SaltedShaScheme::read(name) {
            Some(scheme) => salted_sha::parse(scheme, rest),
            None => Err(ImportError::Unknown),
        },
    }
}

pub(super) fn base64(text: &str) -> Option<Vec<u8>> {
    BASE64.decode(text).ok()
}

/// passlib's base64, with `.` for `+`.
pub(super) fn ab64(text: &str) -> Option<Vec<u8>> {
    base64(&text.replace('.', "+"))
}
