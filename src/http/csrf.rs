//! Forms that only our own pages may send.
//!
//! Two locks. The browser says where a post comes from (`Sec-Fetch-Site`, `Origin`); and each form carries a token
//! that only somebody who read the page can know. The second also holds for old browsers, which say nothing.

use axum::http::HeaderMap;

use crate::crypto::secret;
use crate::domain::ids::Hash;
use crate::domain::issuer::Issuer;
use crate::provider::Idp;

/// Does the browser say that another site sent this?
///
/// `Origin: null` alone proves nothing: with `Referrer-Policy: no-referrer` our own forms send it too.
pub(crate) fn is_foreign_post(headers: &HeaderMap, issuer: &Issuer) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    match (text("sec-fetch-site"), text("origin")) {
        (Some(site), _) => !matches!(site, "same-origin" | "none"),
        (None, Some(origin)) => origin != "null" && origin != issuer.url.origin(),
        (None, None) => false,
    }
}

/// The token of a form: bound to the browser and to what the form belongs to (a login, a sign-out).
pub(crate) fn form_token(idp: &Idp, browser: &Hash, form: &str) -> Hash {
    idp.sealer().keyed_hash("csrf", &format!("{browser} {form}"))
}

/// Is this the token of that form in that browser?
pub(crate) fn is_form_token(idp: &Idp, browser: &Hash, form: &str, token: &str) -> bool {
    secret::equal(&form_token(idp, browser, form), &Hash::new(token))
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
