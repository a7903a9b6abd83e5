//! Redirect URIs: what may be registered, and when a request's URI is one that was.
//!
//! Matching is plain string equality (RFC 9700 §2.1). The one exception is the port of a loopback address of a
//! native client (RFC 8252 §7.3): `http://127.0.0.1` and `http://[::1]` match with any port, `localhost` does not.

use serde::{Deserialize, Serialize};
use url::{Host, Url};

use super::client::ApplicationType;

/// A registered redirect URI.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RedirectUri(String);

/// Why a redirect URI may not be registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RedirectUriError {
    /// Not an absolute URI, or one that is not written the way it is understood.
    #[error("must be an absolute URI in its plain spelling")]
    Malformed,
    /// A fragment (RFC 6749 §3.1.2).
    #[error("must have no fragment")]
    Fragment,
    /// A user name or password in front of the host.
    #[error("must have no user name")]
    UserInfo,
    /// `http` to another machine, or a scheme that runs or shows something.
    #[error("must be https, http to this machine, or a private-use scheme such as com.example.app:/callback")]
    Scheme,
    /// The query already holds a member of the authorization response.
    #[error("must not carry code, state, iss or error in its query")]
    ResponseMember,
}

const RESPONSE_MEMBERS: [&str; 7] =
    ["code", "state", "iss", "error", "error_description", "id_token", "access_token"];

impl RedirectUri {
    /// Checks a URI for registration.
    pub fn parse(text: &str) -> Result<Self, RedirectUriError> {
        let url = Url::parse(text).map_err(|_| RedirectUriError::Malformed)?;
        let odd = |c: char| c.is_control() || c.is_whitespace() || !c.is_ascii() || "\\*<>\"".contains(c);
        if text.chars().any(odd) {
            return Err(RedirectUriError::Malformed);
        }
        if url.fragment().is_some() {
            return Err(RedirectUriError::Fragment);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(RedirectUriError::UserInfo);
        }
        if !has_allowed_scheme(&url) {
            return Err(RedirectUriError::Scheme);
        }
        if url.query_pairs().any(|(name, _)| RESPONSE_MEMBERS.contains(&name.as_ref())) {
            return Err(RedirectUriError::ResponseMember);
        }
        Ok(Self(text.to_owned()))
    }

    /// The URI as registered.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Is this registered URI the one the request names?
    pub fn matches(&self, requested: &str, application_type: ApplicationType) -> bool {
        self.0 == requested
            || (application_type == ApplicationType::Native
                && loopback_without_port(&self.0)
                    .is_some_and(|ours| Some(ours) == loopback_without_port(requested)))
    }

    /// The scheme, host and port that a page's policy must allow; `None` where a policy can name the scheme alone: it is a
    /// private one, or the host is an IPv6 address (Content Security Policy 3 §2.3.1 knows none).
    pub fn origin(uri: &str) -> Option<String> {
        let url = Url::parse(uri).ok()?;
        let named = url.has_host() && !matches!(url.host(), Some(Host::Ipv6(_)));
        named.then(|| url.origin().ascii_serialization())
    }
}

/// RFC 8252 §7: `https`, loopback `http`, or a private-use scheme, which is a reversed domain name and so has a dot.
fn has_allowed_scheme(url: &Url) -> bool {
    match url.scheme() {
        "https" => url.has_host(),
        "http" => match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(ip)) => ip.is_loopback(),
            Some(Host::Ipv6(ip)) => ip.is_loopback(),
            None => false,
        },
        private => private.contains('.'),
    }
}

/// A loopback URI as the text before and after its port.
fn loopback_without_port(uri: &str) -> Option<(&str, &str)> {
    ["http://127.0.0.1", "http://[::1]"].into_iter().find_map(|host| {
        let rest = uri.strip_prefix(host)?;
        let rest = match rest.strip_prefix(':') {
            Some(after) => {
                let path = after.trim_start_matches(|c: char| c.is_ascii_digit());
                let port = after.get(..after.len() - path.len())?;
                port.parse::<u16>().ok().filter(|port| *port > 0)?;
                path
            }
            None => rest,
        };
        (rest.is_empty() || rest.starts_with(['/', '?'])).then_some((host, rest))
    })
}

impl TryFrom<String> for RedirectUri {
    type Error = RedirectUriError;

    fn try_from(text: String) -> Result<Self, RedirectUriError> {
        Self::parse(&text)
    }
}

impl From<RedirectUri> for String {
    fn from(uri: RedirectUri) -> Self {
        uri.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn native(registered: &str, requested: &str) -> bool {
        RedirectUri::parse(registered).unwrap().matches(requested, ApplicationType::Native)
    }

    #[test]
    fn matches_letter_by_letter() {
        let uri = RedirectUri::parse("https://client.test/cb?x=1").unwrap();
        assert!(uri.matches("https://client.test/cb?x=1", ApplicationType::Web));
        for other in [
            "https://CLIENT.test/cb?x=1",
            "https://client.test:443/cb?x=1",
            "https://client.test/cb/?x=1",
            "https://client.test/cb",
            "https://client.test/./cb?x=1",
            "https://client.test/%63b?x=1",
            "https://client.test/cb?x=1#",
            "https://good@client.test/cb?x=1",
            "https://client.test\\/cb?x=1",
        ] {
            assert!(!uri.matches(other, ApplicationType::Web), "{other}");
            assert!(!uri.matches(other, ApplicationType::Native), "{other}");
        }
    }

    #[test]
    fn the_port_of_a_native_loopback_address_is_free() {
        assert!(native("http://127.0.0.1/cb", "http://127.0.0.1:49152/cb"));
        assert!(native("http://127.0.0.1:1/cb", "http://127.0.0.1/cb"));
        assert!(native("http://[::1]/cb?a=b", "http://[::1]:8/cb?a=b"));
        for other in [
            "http://127.0.0.1:/cb",
            "http://127.0.0.1:0/cb",
            "http://127.0.0.1:99999/cb",
            "http://127.0.0.1:1/cb/",
            "http://127.0.0.1:1@evil.test/cb",
            "http://127.0.0.1.evil.test/cb",
            "http://localhost:1/cb",
            "http://[::1]:1/cb",
            "https://127.0.0.1:1/cb",
        ] {
            assert!(!native("http://127.0.0.1/cb", other), "{other}");
        }
        assert!(!native("http://localhost/cb", "http://localhost:1/cb"));
        let web = RedirectUri::parse("http://127.0.0.1/cb").unwrap();
        assert!(!web.matches("http://127.0.0.1:5/cb", ApplicationType::Web));
    }

    #[test]
    fn a_policy_names_what_it_can() {
        let origin = |uri: &str| RedirectUri::origin(uri);
        assert_eq!(origin("https://a.test:8443/cb?x"), Some("https://a.test:8443".into()));
        assert_eq!(origin("http://127.0.0.1:5/"), Some("http://127.0.0.1:5".into()));
        assert_eq!(origin("http://[::1]:5/"), None);
        assert_eq!(origin("com.example.app:/cb"), None);
    }

    #[test]
    fn registers_only_what_is_safe_to_redirect_to() {
        for good in ["https://a.test/cb", "http://localhost:3000/", "http://[::1]/", "com.example.app:/cb"] {
            assert!(RedirectUri::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "/cb",
            "https://a.test/#x",
            "https://a.test/*",
            "JaVaScRiPt:alert(1)",
            "data:text/html,x",
            "http://a.test/",
            "https://u@a.test/",
            "https://a.test/?code=1",
            "https://a.test/?x=1&state=2",
            "https://a.test/\u{e4}",
            "file:///x",
            "https://a.test/\n",
            "urn:ietf:wg:oauth:2.0:oob",
        ] {
            assert!(RedirectUri::parse(bad).is_err(), "{bad:?}");
        }
    }
}
