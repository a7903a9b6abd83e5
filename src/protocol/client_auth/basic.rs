//! `client_secret_basic`: both halves are form-encoded before they are joined (RFC 6749 §2.3.1).
//!
//! Many clients join them raw, as plain HTTP Basic does (RFC 7617). A secret that holds `%` or `+` then decodes to another
//! text, so the secret as it was sent counts too. The client id is decoded in one way only: it selects the client whose
//! secret is compared, and two readings would be two clients.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use url::form_urlencoded;

use super::{failed, is_secret};
use crate::crypto::secret::Secret;
use crate::domain::error::ErrorCode;
use crate::domain::header::trim_ows;
use crate::domain::ids::{ClientId, Hash};
use crate::protocol::error::TokenError;

/// The secret of a Basic header in both of its readings.
pub(super) struct BasicSecret {
    decoded: Secret,
    sent: Secret,
}

impl BasicSecret {
    fn new(sent: &str) -> Self {
        // A text that cannot be decoded has one reading.
        let decoded = form_decode(sent).unwrap_or_else(|| sent.to_owned());
        Self { decoded: Secret::new(decoded), sent: Secret::new(sent.to_owned()) }
    }

    /// Compares both readings, always, so that the time tells nothing about which one was right.
    pub(super) fn is(&self, hash: &Hash) -> bool {
        let readings = [&self.decoded, &self.sent].map(|secret| is_secret(secret, hash));
        readings.contains(&true)
    }
}

/// Id and secret of the `Authorization` header, if there is one.
pub(super) fn read(headers: &HeaderMap) -> Result<Option<(ClientId, BasicSecret)>, TokenError> {
    let mut values = headers.get_all(AUTHORIZATION).into_iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(TokenError::new(ErrorCode::InvalidRequest, "more than one Authorization header"));
    }
    let decoded = value.to_str().ok().and_then(decode);
    decoded.map(Some).ok_or_else(|| failed("the Authorization header is not Basic"))
}

fn decode(header: &str) -> Option<(ClientId, BasicSecret)> {
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(trim_ows(encoded)).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some((ClientId::new(form_decode(id)?), BasicSecret::new(secret)))
}

/// A single value has no `&` and no `=`; where a client did not encode, they stand for themselves.
fn form_decode(text: &str) -> Option<String> {
    let escaped = text.replace('&', "%26").replace('=', "%3D");
    let decoded = form_urlencoded::parse(escaped.as_bytes()).next().map(|(name, _)| name.into_owned())?;
    (!decoded.contains('\u{fffd}')).then_some(decoded)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn header(text: &str) -> HeaderMap {
        HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_str(text).unwrap())])
    }

    fn pair(text: &str) -> Option<[String; 3]> {
        let (id, secret) = read(&header(&format!("Basic {}", STANDARD.encode(text)))).ok()??;
        Some([id.to_string(), secret.decoded.expose().to_owned(), secret.sent.expose().to_owned()])
    }

    #[test]
    fn both_halves_are_form_encoded_and_the_secret_may_be_raw() {
        for (text, expected) in [
            ("shop:secret", ["shop", "secret", "secret"]),
            ("a%3Ab:p%25%2B+%C3%A4", ["a:b", "p%+ \u{e4}", "p%25%2B+%C3%A4"]),
            ("shop:a:b", ["shop", "a:b", "a:b"]),
            ("shop:a=b&c", ["shop", "a=b&c", "a=b&c"]),
            ("shop:100%+x", ["shop", "100% x", "100%+x"]),
            ("shop:%ff", ["shop", "%ff", "%ff"]),
            ("shop:", ["shop", "", ""]),
        ] {
            assert_eq!(pair(text), Some(expected.map(str::to_owned)), "{text}");
        }
    }

    #[test]
    fn either_reading_of_the_secret_proves_it_and_no_mixture_does() {
        let secret = BasicSecret::new("a+b%2Bc");
        for (stored, right) in [("a b+c", true), ("a+b%2Bc", true), ("a+b+c", false), ("a b%2Bc", false)] {
            assert_eq!(secret.is(&crate::crypto::secret::hash(stored)), right, "{stored}");
        }
    }

    #[test]
    fn what_is_broken_is_a_failed_authentication() {
        for text in ["Basic", "Basic !!!", "Basic c2hvcA==", "Bearer x", "Basic /////w==", "Basic JWZmOmE="] {
            assert!(read(&header(text)).is_err(), "{text}");
        }
        assert!(read(&HeaderMap::new()).unwrap().is_none());
    }
}
