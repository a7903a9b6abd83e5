//! The signer (RFC 7515 §5.1). The key is parsed once, so that a call costs little more than the signature.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;

use super::JwtError;
use crate::crypto::keys::SigningKey;

/// The complete protected header.
#[derive(Serialize)]
struct Header<'a> {
    alg: &'a str,
    typ: &'a str,
    kid: &'a str,
}

/// Signs a JWT with this `typ` (`JWT`, `at+jwt`); compact serialization.
pub(crate) fn sign(key: &SigningKey, typ: &str, claims: &impl Serialize) -> Result<String, JwtError> {
    let header = Header { alg: key.algorithm().as_str(), typ, kid: key.id().as_str() };
    let mut token = String::with_capacity(1024);
    append(&mut token, &header)?;
    token.push('.');
    append(&mut token, claims)?;
    let signature = key.sign(token.as_bytes())?;
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut token);
    Ok(token)
}

fn append(token: &mut String, part: &impl Serialize) -> Result<(), JwtError> {
    let json = serde_json::to_vec(part).map_err(|_| JwtError::Claims)?;
    URL_SAFE_NO_PAD.encode_string(json, token);
    Ok(())
}
