//! The strict verification of every consumed JWT (RFC 7515 §5.2, RFC 7519 §7.2, RFC 8725).
//!
//! Keys that a token carries or points to (`jwk`, `jku`, `x5u`, `x5c`) are ignored: keys come from the caller. Each
//! value has one accepted encoding; anything else is rejected rather than interpreted.

use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::{JwtError, VerifyingKey, strict_json};
use crate::domain::client::{MacAlgorithm, SigningAlgorithm};
use crate::domain::time::Time;

/// Maximum length of a token, in bytes.
const MAX_LENGTH: usize = 16 * 1024;

/// The accepted form of `aud` (RFC 7519 §4.1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AudienceRule {
    /// Exactly one value; the caller checks it.
    One,
    /// One or more values; the caller checks them.
    Several,
}

/// The accepted `sub` (RFC 7519 §4.1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject<'a> {
    /// Any value; the caller checks it.
    Somebody,
    /// Exactly this value.
    One(&'a str),
    /// The claim must be absent.
    Nobody,
    /// `sub` may be absent; the caller checks it (logout tokens, Back-Channel Logout 1.0 §2.4).
    Optional,
}

/// The requirements for a token. `exp` is always required.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Expected<'a> {
    /// Accepted values of `typ`, without `application/`; an absent `typ` counts as `JWT`.
    pub(crate) typ: &'a [&'a str],
    /// Accepted values of `alg`.
    pub(crate) algorithms: &'a [SigningAlgorithm],
    /// The required value of `iss`.
    pub(crate) issuer: &'a str,
    /// The accepted form of `aud`.
    pub(crate) audience: AudienceRule,
    /// The accepted `sub`.
    pub(crate) subject: Subject<'a>,
    /// The current time.
    pub(crate) now: Time,
    /// Allowed clock skew.
    pub(crate) leeway: Duration,
    /// Maximum distance of `exp` from now; `None` = unlimited.
    pub(crate) max_lifetime: Option<Duration>,
    /// Accepts an expired token: an expired `id_token_hint` still identifies the user (OpenID Connect Core §3.1.2.1).
    pub(crate) allow_expired: bool,
}

/// Returns the claims of a token that is signed by one of the keys and meets the requirements.
pub(crate) fn verify(
    token: &str,
    keys: &[VerifyingKey],
    expected: &Expected<'_>,
) -> Result<Map<String, Value>, JwtError> {
    let parts = CompactParts::split(token)?;
    let header = decode(parts.header, "header")?;
    let algorithm = check_algorithm(&header, expected)?;
    let kid = header.get("kid").map(|kid| kid.as_str().ok_or(JwtError::Header("kid"))).transpose()?;
    let mut candidates = keys.iter().filter(|key| key.fits(algorithm, kid)).peekable();
    if candidates.peek().is_none() {
        return Err(JwtError::Key);
    }
    if !candidates.any(|key| key.verifies(parts.message.as_bytes(), parts.signature)) {
        return Err(JwtError::Signature);
    }
    let claims = decode(parts.payload, "payload")?;
    check_names(&claims, expected)?;
    check_times(&claims, expected)?;
    Ok(claims)
}

/// The same for a token with a message authentication code (RFC 7518 §3.2). Its algorithms are not in `expected` and
/// its secret is not a key, so that a public key can never be used as a secret (RFC 8725 §2.1).
pub(crate) fn verify_mac(
    token: &str,
    secret: &[u8],
    algorithms: &[MacAlgorithm],
    expected: &Expected<'_>,
) -> Result<Map<String, Value>, JwtError> {
    let parts = CompactParts::split(token)?;
    let header = decode(parts.header, "header")?;
    let alg = check_header(&header, expected)?;
    let named = algorithms.iter().find(|algorithm| Some(algorithm.as_str()) == alg);
    let algorithm = named.copied().ok_or(JwtError::Header("alg"))?;
    if secret.len() < algorithm.secret_min() {
        return Err(JwtError::Key);
    }
    let hash = match algorithm {
        MacAlgorithm::Hs256 => hmac::HMAC_SHA256,
        MacAlgorithm::Hs384 => hmac::HMAC_SHA384,
        MacAlgorithm::Hs512 => hmac::HMAC_SHA512,
    };
    let code = URL_SAFE_NO_PAD.decode(parts.signature).map_err(|_| JwtError::Malformed("signature"))?;
    hmac::verify(&hmac::Key::new(hash, secret), parts.message.as_bytes(), &code)
        .map_err(|_| JwtError::Signature)?;
    let claims = decode(parts.payload, "payload")?;
    check_names(&claims, expected)?;
    check_times(&claims, expected)?;
    Ok(claims)
}

/// The `kid` of an unverified token, for finding the key that verifies it.
pub(crate) fn claimed_key_id(token: &str) -> Result<Option<String>, JwtError> {
    let header = decode(CompactParts::split(token)?.header, "header")?;
    Ok(header.get("kid").and_then(Value::as_str).map(str::to_owned))
}

/// The `sub` of an unverified token, for finding the client whose keys verify it (RFC 7523 §3).
pub(crate) fn claimed_subject(token: &str) -> Result<String, JwtError> {
    let claims = decode(CompactParts::split(token)?.payload, "payload")?;
    claims.get("sub").and_then(Value::as_str).map(str::to_owned).ok_or(JwtError::Claim("sub"))
}

/// The parts of the compact serialization (RFC 7515 §7.1).
struct CompactParts<'a> {
    /// Header and payload: the signing input.
    message: &'a str,
    header: &'a str,
    payload: &'a str,
    signature: &'a str,
}

impl<'a> CompactParts<'a> {
    fn split(token: &'a str) -> Result<Self, JwtError> {
        if token.len() > MAX_LENGTH {
            return Err(JwtError::TooLong);
        }
        let parts = token.rsplit_once('.').and_then(|(message, signature)| {
            let (header, payload) = message.split_once('.')?;
            Some(Self { message, header, payload, signature })
        });
        parts.filter(|parts| !parts.payload.contains('.')).ok_or(JwtError::Malformed("not three parts"))
    }
}

/// Decodes base64url without padding, whitespace or trailing bits, and parses one JSON object without duplicate
/// members.
fn decode(part: &str, name: &'static str) -> Result<Map<String, Value>, JwtError> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| JwtError::Malformed(name))?;
    strict_json::object(&bytes).ok_or(JwtError::Malformed(name))
}

/// Returns the value of `alg` if no other header member forbids the token.
fn check_header<'a>(
    header: &'a Map<String, Value>,
    expected: &Expected<'_>,
) -> Result<Option<&'a str>, JwtError> {
    // No extension is supported, so every critical one is rejected (RFC 7515 §4.1.11).
    if header.contains_key("crit") {
        return Err(JwtError::Header("crit"));
    }
    let typ = header.get("typ").map_or(Some("JWT"), Value::as_str).ok_or(JwtError::Header("typ"))?;
    let typ = typ.strip_prefix("application/").unwrap_or(typ);
    if !expected.typ.iter().any(|allowed| allowed.eq_ignore_ascii_case(typ)) {
        return Err(JwtError::Header("typ"));
    }
    Ok(header.get("alg").and_then(Value::as_str))
}

/// Returns the signature algorithm if the header is accepted.
fn check_algorithm(
    header: &Map<String, Value>,
    expected: &Expected<'_>,
) -> Result<SigningAlgorithm, JwtError> {
    let alg = check_header(header, expected)?;
    let named = expected.algorithms.iter().find(|algorithm| Some(algorithm.as_str()) == alg);
    named.copied().ok_or(JwtError::Header("alg"))
}

fn check_names(claims: &Map<String, Value>, expected: &Expected<'_>) -> Result<(), JwtError> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    if text("iss") != Some(expected.issuer) {
        return Err(JwtError::Claim("iss"));
    }
    let audience: Option<Vec<&str>> = match claims.get("aud") {
        Some(Value::String(one)) => Some(vec![one]),
        Some(Value::Array(all)) => all.iter().map(Value::as_str).collect(),
        _ => None,
    };
    let suits = match audience.as_deref() {
        Some([_]) => true,
        Some([_, ..]) => expected.audience == AudienceRule::Several,
        _ => false,
    };
    if !suits {
        return Err(JwtError::Claim("aud"));
    }
    let suits = match expected.subject {
        Subject::Somebody => text("sub").is_some(),
        Subject::One(wanted) => text("sub") == Some(wanted),
        Subject::Nobody => !claims.contains_key("sub"),
        Subject::Optional => !claims.contains_key("sub") || text("sub").is_some(),
    };
    if suits { Ok(()) } else { Err(JwtError::Claim("sub")) }
}

fn check_times(claims: &Map<String, Value>, expected: &Expected<'_>) -> Result<(), JwtError> {
    let (now, leeway) = (expected.now, expected.leeway);
    for name in ["nbf", "iat"] {
        if claims.contains_key(name) && numeric_date(claims, name)? > now.plus(leeway) {
            return Err(JwtError::Claim(name));
        }
    }
    let expires = numeric_date(claims, "exp")?;
    if expected.max_lifetime.is_some_and(|cap| expires > now.plus(cap).plus(leeway)) {
        return Err(JwtError::Claim("exp"));
    }
    if expires.plus(leeway) <= now && !expected.allow_expired {
        return Err(JwtError::Expired);
    }
    Ok(())
}

/// A `NumericDate` (RFC 7519 §2) in seconds; a fraction is truncated.
fn numeric_date(claims: &Map<String, Value>, name: &'static str) -> Result<Time, JwtError> {
    /// The last second of the year 9999.
    const MAX: i64 = 253_402_300_799;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a float that is too large saturates, and is refused below"
    )]
    let whole =
        |number: &serde_json::Number| number.as_i64().or_else(|| number.as_f64().map(|float| float as i64));
    let seconds = claims.get(name).and_then(Value::as_number).and_then(whole);
    seconds.filter(|seconds| (0..=MAX).contains(seconds)).map(Time::from_unix).ok_or(JwtError::Claim(name))
}
