//! Request parameters as they came: from raw bytes, so that doubled ones are seen (RFC 6749 §3.1, §3.2).

use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, Uri};
use url::form_urlencoded;

use crate::domain::error::{ErrorCode, OAuthError};
use crate::domain::header::trim_ows;
use crate::domain::locale::Locale;

/// The parameters of one request, in the order they came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// No endpoint here knows a third as many.
    const MAX: usize = 64;

    /// Reads a query or a body in `application/x-www-form-urlencoded`.
    pub(crate) fn parse(raw: &[u8]) -> Result<Self, OAuthError> {
        Self::of_pairs(form_urlencoded::parse(raw).map(|(name, value)| (name.into(), value.into())))
    }

    /// The fields of a form on a page of ours, which has none twice: of two values, one part of a step could check the one
    /// and another use the other.
    pub(crate) fn of_page(body: &[u8]) -> Result<Self, OAuthError> {
        Self::parse(body)?.each_field_once()
    }

    /// The same of a form that is parsed already.
    pub(crate) fn each_field_once(self) -> Result<Self, OAuthError> {
        if self.has_doubled(|_| true) { Err(invalid("a field was sent more than once")) } else { Ok(self) }
    }

    /// The same from names and values that came in another form.
    pub(crate) fn of_pairs(pairs: impl Iterator<Item = (String, String)>) -> Result<Self, OAuthError> {
        let pairs: Vec<_> = pairs.take(Self::MAX + 1).collect();
        if pairs.len() > Self::MAX {
            return Err(invalid("too many parameters"));
        }
        // Bytes that are not UTF-8 come out as U+FFFD.
        let is_odd = |text: &String| text.contains(['\0', '\u{fffd}']);
        if pairs.iter().any(|(name, value)| is_odd(name) || is_odd(value)) {
            return Err(invalid("a parameter is not text in UTF-8"));
        }
        Ok(Self(pairs))
    }

    /// The parameters of a posted form. All must be in the body, because it is undefined which of two sources counts.
    pub(crate) fn of_form(uri: &Uri, headers: &HeaderMap, body: &[u8]) -> Result<Self, OAuthError> {
        if uri.query().is_some_and(|query| !query.is_empty()) {
            return Err(invalid("the parameters of a POST belong in its body"));
        }
        if !is_form(headers) {
            return Err(invalid("the body must be application/x-www-form-urlencoded"));
        }
        Self::parse(body)
    }

    /// All of them as a query or a body.
    pub(crate) fn encoded(&self) -> String {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.0).finish()
    }

    /// The parameter's value; one without a value counts as left out (RFC 6749 §3.1).
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    /// The values of a parameter that may be repeated.
    pub(crate) fn all(&self, name: &'static str) -> impl Iterator<Item = &str> {
        let all = self.0.iter().filter(move |(key, value)| key == name && !value.is_empty());
        all.map(|(_, value)| value.as_str())
    }

    /// The words of a parameter that is a list parted by spaces.
    pub(crate) fn words<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        self.get(name).unwrap_or_default().split(' ').filter(|word| !word.is_empty())
    }

    /// The languages of `ui_locales` that exist here, in order of preference, each once.
    pub(crate) fn ui_locales(&self) -> Vec<Locale> {
        let mut locales = Vec::new();
        for locale in self.words("ui_locales").filter_map(Locale::from_tag) {
            if !locales.contains(&locale) {
                locales.push(locale);
            }
        }
        locales
    }

    /// The parameters of these names.
    #[must_use]
    pub(crate) fn only(&self, names: &[&str]) -> Self {
        Self(self.0.iter().filter(|(name, _)| names.contains(&name.as_str())).cloned().collect())
    }

    /// Was it sent more than once, with or without a value?
    pub(crate) fn is_doubled(&self, name: &str) -> bool {
        self.0.iter().filter(|(key, _)| key == name).count() > 1
    }

    /// Refuses doubled parameters; `resource` alone may be repeated (RFC 8707 §2).
    pub(crate) fn each_once(&self) -> Result<(), OAuthError> {
        let doubled = self.has_doubled(|name| name != "resource");
        if doubled { Err(invalid("a parameter was sent more than once")) } else { Ok(()) }
    }

    fn has_doubled(&self, counts: impl Fn(&str) -> bool) -> bool {
        self.0.iter().any(|(name, _)| counts(name) && self.is_doubled(name))
    }
}

/// Does the body call itself a form? Parameters such as `charset` change nothing.
pub(crate) fn is_form(headers: &HeaderMap) -> bool {
    let essence = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()?.split(';').next());
    essence.is_some_and(|essence| trim_ows(essence).eq_ignore_ascii_case("application/x-www-form-urlencoded"))
}

fn invalid(description: &'static str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidRequest, description)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_what_was_sent() {
        let parameters = Parameters::parse(b"state=a%26b+c&scope=openid++email&empty=").unwrap();
        assert_eq!(parameters.get("state"), Some("a&b c"));
        assert_eq!(parameters.words("scope").collect::<Vec<_>>(), ["openid", "email"]);
        assert_eq!(parameters.get("empty"), None);
        assert_eq!(parameters.words("absent").count(), 0);
        assert_eq!(parameters.encoded(), "state=a%26b+c&scope=openid++email&empty=");
    }

    #[test]
    fn sees_doubled_parameters() {
        let parameters = Parameters::parse(b"state=&state=x&resource=a&resource=b").unwrap();
        assert!(parameters.is_doubled("state"));
        assert!(parameters.each_once().is_err());
        assert!(Parameters::parse(b"resource=a&resource=b&state=x").unwrap().each_once().is_ok());
        assert!(Parameters::of_page(b"resource=a&resource=b&state=x").is_err());
        assert!(Parameters::of_page(b"resource=a&state=x").is_ok());
    }

    #[test]
    fn refuses_what_is_not_text() {
        for raw in [&b"state=%ff"[..], b"state=%00", b"%c3%28=x", b"state=%ed%a0%80", &[0xff]] {
            assert!(Parameters::parse(raw).is_err(), "{raw:?}");
        }
        assert!(Parameters::parse("x=1&".repeat(65).as_bytes()).is_err());
        assert!(Parameters::parse("x=1&".repeat(64).as_bytes()).is_ok());
    }
}
