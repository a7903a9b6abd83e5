//! The authorization response: its parameters, and their way through the browser by the response mode.
//!
//! Every response, good or bad, carries `iss` (RFC 9207) and the request's `state` byte for byte.

use super::{ResponseTarget, modes};
use crate::domain::error::OAuthError;
use crate::domain::issuer::Issuer;

/// The parameters of a response, in the order in which they are sent.
pub(crate) type ResponseParameters = Vec<(&'static str, String)>;

/// An authorization response that is ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AuthorizationResponse {
    target: ResponseTarget,
    parameters: ResponseParameters,
}

/// What the browser is told to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ResponseDelivery {
    /// Go there: the value of `Location`, with status 303.
    Redirect(String),
    /// Post a form by itself (OAuth 2.0 Form Post Response Mode §2).
    FormPost {
        /// The redirect URI.
        action: String,
        /// The hidden fields. The page escapes them.
        fields: ResponseParameters,
    },
}

impl AuthorizationResponse {
    /// The response with a code (RFC 6749 §4.1.2).
    pub(crate) fn code(issuer: &Issuer, target: ResponseTarget, code: &str) -> Self {
        Self::new(issuer, target, vec![("code", code.to_owned())])
    }

    /// The response with an error (RFC 6749 §4.1.2.1).
    pub(crate) fn error(issuer: &Issuer, target: ResponseTarget, error: &OAuthError) -> Self {
        let parameters = vec![
            ("error", error.code.as_str().to_owned()),
            ("error_description", error.description.clone().into_owned()),
        ];
        Self::new(issuer, target, parameters)
    }

    fn new(issuer: &Issuer, target: ResponseTarget, mut parameters: ResponseParameters) -> Self {
        parameters.extend(target.state.clone().map(|state| ("state", state)));
        parameters.push(("iss", issuer.url.as_str().to_owned()));
        Self { target, parameters }
    }

    /// Encodes the response in its target's response mode.
    pub(crate) fn deliver(self) -> ResponseDelivery {
        modes::encode(self.target.response_mode, &self.target.redirect_uri, self.parameters)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::error::ErrorCode;
    use crate::domain::ids::IssuerId;
    use crate::domain::issuer::IssuerUrl;
    use crate::domain::request::ResponseMode;

    fn issuer() -> Issuer {
        let url = IssuerUrl::parse("https://id.test").unwrap();
        Issuer { id: IssuerId::new("root"), url, tenant: None }
    }

    fn target(redirect_uri: &str, response_mode: ResponseMode, state: &str) -> ResponseTarget {
        ResponseTarget { redirect_uri: redirect_uri.to_owned(), response_mode, state: Some(state.to_owned()) }
    }

    #[test]
    fn a_code_travels_with_state_and_issuer() {
        let target = target("https://a.test/cb?x=1", ResponseMode::Query, "s p\r\n&\"");
        assert_eq!(
            AuthorizationResponse::code(&issuer(), target, "abc").deliver(),
            ResponseDelivery::Redirect(
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
        assert_eq!(
            AuthorizationResponse::error(&issuer(), target, &refused).deliver(),
            ResponseDelivery::FormPost { action, fields }
        );
    }
}
