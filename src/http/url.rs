//! Addresses: a query that grows, a query that is read, and the redirect to an address.

use axum::http::header::LOCATION;
use axum::http::{HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use url::form_urlencoded::{self, Serializer};

/// The URI with more in its query; what it already holds stays as it is (RFC 6749 §3.1.2).
pub(crate) fn with_query(uri: &str, fields: impl IntoIterator<Item = (&'static str, String)>) -> String {
    let separator = match uri.split_once('?') {
        None => "?",
        Some((_, query)) if query.is_empty() || query.ends_with('&') => "",
        Some(_) => "&",
    };
    format!("{uri}{separator}{}", Serializer::new(String::new()).extend_pairs(fields).finish())
}

/// The first value of this name in the query of a request.
pub(crate) fn query_value(uri: &Uri, name: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// A redirect with status 303: the browser repeats neither method nor body (RFC 9700 §4.12).
pub(crate) fn see_other(address: &str) -> Response {
    match HeaderValue::try_from(address) {
        Ok(address) => (StatusCode::SEE_OTHER, [(LOCATION, address)]).into_response(),
        // Redirect URIs are checked when they are registered, and everything else in the address is encoded.
        Err(_) => StatusCode::BAD_REQUEST.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joins_queries() {
        for (uri, joined) in [
            ("com.example:/cb", "com.example:/cb?a=b"),
            ("https://a.test/?", "https://a.test/?a=b"),
            ("https://a.test/?x=%20", "https://a.test/?x=%20&a=b"),
            ("https://a.test/?x&", "https://a.test/?x&a=b"),
        ] {
            assert_eq!(with_query(uri, [("a", "b".to_owned())]), joined);
        }
    }
}
