//! `client_secret_basic`: both halves are form-encoded before they are joined (RFC 6749 §2.3.1).

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use url::form_urlencoded;

use super::failed;
use crate::crypto::secret::Secret;
use crate::domain::error::ErrorCode;
use crate::domain::header::trim_ows;
use crate::domain::ids::ClientId;
use crate::protocol::error::TokenError;

/// Id and secret of the `Authorization` header, if there is one.
pub(super) fn read(headers: &HeaderMap) -> Result<Option<(ClientId, Secret)>, TokenError> {
    let mut values = headers.get_all(AUTHORIZATION).into_iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(TokenError::new(ErrorCode::InvalidRequest, "more than one Authorization header"));
    }
    let decoded = value.to_str().ok().and_then(decode);
    decoded.map(Some).ok_or_else(|| failed("the Authorization header is not Basic"))
}

fn decode(header: &str) -> Option<(ClientId, Secret)> {
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(trim_ows(encoded)).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some((ClientId::new(form_decode(id)?), Secret::new(form_decode(secret)?)))
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

    fn pair(text: &str) -> Option<(String, String)> {
        let (id, secret) = read(&header(&format!("Basic {}", STANDARD.encode(text)))).ok()??;
        Some((id.to_string(), secret.expose().to_owned()))
    }

    #[test]
    fn both_halves_are_form_encoded() {
        assert_eq!(pair("shop:secret"), Some(("shop".to_owned(), "secret".to_owned())));
        assert_eq!(pair("a%3Ab:p%25%2B+%C3%A4"), Some(("a:b".to_owned(), "p%+ \u{e4}".to_owned())));
        assert_eq!(pair("shop:a:b"), Some(("shop".to_owned(), "a:b".to_owned())));
        assert_eq!(pair("shop:a=b&c"), Some(("shop".to_owned(), "a=b&c".to_owned())));
    }

    #[test]
    fn what_is_broken_is_a_failed_authentication() {
        for text in ["Basic", "Basic !!!", "Basic c2hvcA==", "Bearer x", "Basic /////w==", "Basic JWZmOmE="] {
            assert!(read(&header(text)).is_err(), "{text}");
        }
        assert!(read(&HeaderMap::new()).unwrap().is_none());
    }
}
