//! Protection against cross-site request forgery.
//!
//! Two checks: the origin that the browser states (`Sec-Fetch-Site`, `Origin`), and a token in each form that only a
//! reader of the page can know. The token also protects old browsers, which send neither header.

use axum::http::HeaderMap;

use crate::crypto::seal::Sealer;
use crate::crypto::secret;
use crate::domain::ids::Hash;
use crate::domain::issuer::Issuer;

/// Returns whether the browser states that another site sent the request.
///
/// `Origin: null` alone proves nothing: with `Referrer-Policy: no-referrer` the provider's own forms send it too.
pub(crate) fn is_foreign_post(headers: &HeaderMap, issuer: &Issuer) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    match (text("sec-fetch-site"), text("origin")) {
        (Some(site), _) => !matches!(site, "same-origin" | "none"),
        (None, Some(origin)) => origin != "null" && origin != issuer.url.origin(),
        (None, None) => false,
    }
}

/// The token of a form, bound to the browser and to the login or sign-out that the form belongs to.
pub(crate) fn form_token(sealer: &Sealer, browser: &Hash, form: &str) -> Hash {
    sealer.keyed_hash("csrf", &format!("{browser} {form}"))
}

/// Returns whether `token` is the token of that form in that browser.
pub(crate) fn is_form_token(sealer: &Sealer, browser: &Hash, form: &str, token: &str) -> bool {
    secret::equal(&form_token(sealer, browser, form), &Hash::new(token))
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;
    use crate::domain::ids::IssuerId;
    use crate::domain::issuer::IssuerUrl;

    fn foreign(headers: &[(&'static str, &'static str)]) -> bool {
        let issuer = Issuer {
            id: IssuerId::new("root"),
            url: IssuerUrl::parse("https://id.test/a").unwrap(),
            tenant: None,
        };
        let pairs = headers.iter().map(|(n, v)| (HeaderName::from_static(n), HeaderValue::from_static(v)));
        is_foreign_post(&pairs.collect(), &issuer)
    }

    #[test]
    fn believes_the_browser() {
        assert!(!foreign(&[("sec-fetch-site", "same-origin"), ("origin", "null")]));
        assert!(!foreign(&[("origin", "https://id.test")]));
        assert!(!foreign(&[]));
        assert!(foreign(&[("sec-fetch-site", "cross-site")]));
        assert!(foreign(&[("sec-fetch-site", "same-site"), ("origin", "https://id.test")]));
        assert!(foreign(&[("origin", "https://evil.test")]));
        assert!(foreign(&[("origin", "https://id.test.evil.test")]));
    }
}
