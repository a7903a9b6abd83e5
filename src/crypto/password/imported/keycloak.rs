//! A credential in a Keycloak realm export: a JSON object whose `credentialData` and `secretData` are strings of JSON.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::argon2;
use super::derivation::{ImportError, MAX_KIB};
use super::encoding::base64;
use super::pbkdf2::{self, Hmac};
use super::scheme::{ImportedHash, Scheme};

const NAME: &str = "Keycloak";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Credential {
    credential_data: String,
    secret_data: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CredentialData {
    hash_iterations: u32,
    algorithm: String,
    #[serde(default)]
    additional_parameters: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
struct SecretData {
    value: String,
    salt: String,
}

/// Parses one credential.
pub(super) fn parse(text: &str) -> Result<ImportedHash, ImportError> {
    let Credential { credential_data, secret_data } = read(text)?;
    let (data, secret): (CredentialData, SecretData) = (read(&credential_data)?, read(&secret_data)?);
    if data.algorithm == "argon2" {
        return argon2(&data, &secret);
    }
    let hmac = match data.algorithm.as_str() {
        "pbkdf2" => Some(Hmac::Sha1),
        name => name.strip_prefix("pbkdf2-").and_then(Hmac::by_name),
    };
    let hash = pbkdf2::hash(hmac, Some(data.hash_iterations), base64(&secret.salt), base64(&secret.value));
    Ok(hash?.map(Scheme::Pbkdf2))
}

fn argon2(data: &CredentialData, secret: &SecretData) -> Result<ImportedHash, ImportError> {
    let get = |name: &str| {
        let values = data.additional_parameters.get(name);
        values.and_then(|values| values.first()).map(String::as_str).ok_or(ImportError::Malformed(NAME))
    };
    let version = if get("version")? == "1.0" { 16 } else { 19 };
    let (memory, lanes, passes) = (get("memory")?, get("parallelism")?, data.hash_iterations);
    let (salt, value) = (secret.salt.trim_end_matches('='), secret.value.trim_end_matches('='));
    let phc = format!("$argon2{}$v={version}$m={memory},t={passes},p={lanes}${salt}${value}", get("type")?);
    Ok(argon2::parse(&phc, MAX_KIB)?.map(Scheme::Argon2))
}

fn read<T: DeserializeOwned>(text: &str) -> Result<T, ImportError> {
    serde_json::from_str(text).map_err(|_| ImportError::Malformed(NAME))
}
