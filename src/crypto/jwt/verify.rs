//! The one strict verification (RFC 7515 §5.2, RFC 7519 §7.2, RFC 8725).
//!
//! Whatever a token says about keys (`jwk`, `jku`, `x5u`, `x5c`) is ignored: keys come from the caller. There is one
//! way to write each value; anything else is refused rather than interpreted.

use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::{JwtError, VerifyingKey, strict_json};
use crate::domain::client::{MacAlgorithm, SigningAlgorithm};
use crate::domain::time::Time;

/// Longer tokens are not looked at.
const MAX_LENGTH: usize = 16 * 1024;

/// Whom a token may be for (`aud`, RFC 7519 §4.1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Audience {
    /// One alone; the caller looks who that is.
    One,
    /// One or several; the caller looks who is among them.
    Several,
}

/// Whom a token may be about (`sub`, RFC 7519 §4.1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject<'a> {
    /// Somebody; the caller looks who.
    Somebody,
    /// This one.
    One(&'a str),
    /// Nobody: the claim must not be there.
    Nobody,
}

/// What a token must say. `exp` must be there in any case.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Expected<'a> {
    /// What `typ` may be, without `application/`; where it is absent it counts as `JWT`.
    pub(crate) typ: &'a [&'a str],
    /// What `alg` may be.
    pub(crate) algorithms: &'a [SigningAlgorithm],
    /// The value of `iss`.
    pub(crate) issuer: &'a str,
    /// What `aud` may be.
    pub(crate) audience: Audience,
    /// What `sub` must be.
    pub(crate) subject: Subject<'a>,
    /// The time.
    pub(crate) now: Time,
    /// How far the clocks may differ.
    pub(crate) leeway: Duration,
    /// The farthest that `exp` may lie ahead; `None` = any.
    pub(crate) max_lifetime: Option<Duration>,
    /// For `id_token_hint`, where an expired token still says who is meant (OpenID Connect Core §3.1.2.1).
    pub(crate) allow_expired: bool,
}

/// The claims of a token that one of the keys has signed and that says what was expected.
pub(crate) fn verify(
    token: &str,
    keys: &[VerifyingKey],
    expected: &Expected<'_>,
) -> Result<Map<String, Value>, JwtError> {
    let parts = Parts::split(token)?;
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

/// The same for a token with an authentication code (RFC 7518 §3.2). Secrets are no keys: nobody who expects a signature
/// can be brought to take a public key for a secret (RFC 8725 §2.1), so these algorithms are not in `expected`.
pub(crate) fn verify_mac(
    token: &str,
    secret: &[u8],
    algorithms: &[MacAlgorithm],
    expected: &Expected<'_>,
) -> Result<Map<String, Value>, JwtError> {
    let parts = Parts::split(token)?;
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

/// The `kid` of a token that nobody has verified: only to find the key that will.
pub(crate) fn claimed_key_id(token: &str) -> Result<Option<String>, JwtError> {
    let header = decode(Parts::split(token)?.header, "header")?;
    Ok(header.get("kid").and_then(Value::as_str).map(str::to_owned))
}

/// The `sub` of a token that nobody has verified: only to find the client whose keys will (RFC 7523 §3).
pub(crate) fn claimed_subject(token: &str) -> Result<String, JwtError> {
    let claims = decode(Parts::split(token)?.payload, "payload")?;
    claims.get("sub").and_then(Value::as_str).map(str::to_owned).ok_or(JwtError::Claim("sub"))
}

/// The compact form (RFC 7515 §7.1).
struct Parts<'a> {
    /// Header and payload: what is signed.
    message: &'a str,
    header: &'a str,
    payload: &'a str,
    signature: &'a str,
}

impl<'a> Parts<'a> {
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

/// Base64url without padding, whitespace or stray bits, around one JSON object without repeated members.
fn decode(part: &str, name: &'static str) -> Result<Map<String, Value>, JwtError> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| JwtError::Malformed(name))?;
    strict_json::object(&bytes).ok_or(JwtError::Malformed(name))
}

/// The value of `alg`, if nothing else in the header forbids the token.
fn check_header<'a>(
    header: &'a Map<String, Value>,
    expected: &Expected<'_>,
) -> Result<Option<&'a str>, JwtError> {
    // We understand no extension, so any that must be understood forbids the token (RFC 7515 §4.1.11).
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

/// The algorithm of a signature, if the header does not forbid the token.
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
        Some([_, ..]) => expected.audience == Audience::Several,
        _ => false,
    };
    if !suits {
        return Err(JwtError::Claim("aud"));
    }
    let suits = match expected.subject {
        Subject::Somebody => text("sub").is_some(),
        Subject::One(wanted) => text("sub") == Some(wanted),
        Subject::Nobody => !claims.contains_key("sub"),
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

/// A `NumericDate` (RFC 7519 §2): seconds, perhaps with a fraction, which is dropped.
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
