//! The authorization response on its way through the browser: in a redirect's query or in a posted form.
//!
//! Every response, good or bad, carries `iss` (RFC 9207) and the request's `state` byte for byte.

use super::Target;
use crate::domain::error::OAuthError;
use crate::domain::issuer::Issuer;
use crate::domain::request::ResponseMode;
use crate::http::with_query;

/// What the browser is told to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Delivery {
    /// Go there: the value of `Location`, with status 303.
    Redirect(String),
    /// Post a form by itself (OAuth 2.0 Form Post Response Mode §2).
    FormPost {
        /// The redirect URI.
        action: String,
        /// The hidden fields. The page escapes them.
        fields: Vec<(&'static str, String)>,
    },
}

/// The response with a code (RFC 6749 §4.1.2).
pub(crate) fn code(issuer: &Issuer, target: &Target, code: &str) -> Delivery {
    deliver(issuer, target, vec![("code", code.to_owned())])
}

/// The response with an error (RFC 6749 §4.1.2.1).
pub(crate) fn error(issuer: &Issuer, target: &Target, error: &OAuthError) -> Delivery {
    let fields = vec![
        ("error", error.code.as_str().to_owned()),
        ("error_description", error.description.clone().into_owned()),
    ];
    deliver(issuer, target, fields)
}

fn deliver(issuer: &Issuer, target: &Target, mut fields: Vec<(&'static str, String)>) -> Delivery {
    fields.extend(target.state.clone().map(|state| ("state", state)));
    fields.push(("iss", issuer.url.as_str().to_owned()));
    match target.response_mode {
        ResponseMode::Query => Delivery::Redirect(with_query(&target.redirect_uri, fields)),
        ResponseMode::FormPost => Delivery::FormPost { action: target.redirect_uri.clone(), fields },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::error::ErrorCode;
    use crate::domain::ids::IssuerId;
    use crate::domain::issuer::IssuerUrl;

    fn issuer() -> Issuer {
        let url = IssuerUrl::parse("https://id.test").unwrap();
        Issuer { id: IssuerId::new("root"), url, tenant: None }
    }

    fn target(redirect_uri: &str, response_mode: ResponseMode, state: &str) -> Target {
        Target { redirect_uri: redirect_uri.to_owned(), response_mode, state: Some(state.to_owned()) }
    }

    #[test]
    fn a_code_travels_with_state_and_issuer() {
        let target = target("https://a.test/cb?x=1", ResponseMode::Query, "s p\r\n&\"");
        assert_eq!(
            code(&issuer(), &target, "abc"),
            Delivery::Redirect(
                "https://a.test/cb?x=1&code=abc&state=s+p%0D%0A%26%22&iss=https%3A%2F%2Fid.test".to_owned()
            )
        );
    }

    #[test]
    fn so_does_an_error() {
        let refused =
            OAuthError::new(ErrorCode::LoginRequired, "nobody is signed in").with_hint("not for them");
        let target = target("https://a.test/cb", ResponseMode::FormPost, "\"><script>");
        let fields = vec![
            ("error", "login_required".to_owned()),
            ("error_description", "nobody is signed in".to_owned()),
            ("state", "\"><script>".to_owned()),
            ("iss", "https://id.test".to_owned()),
        ];
        let action = "https://a.test/cb".to_owned();
        assert_eq!(error(&issuer(), &target, &refused), Delivery::FormPost { action, fields });
    }
}
