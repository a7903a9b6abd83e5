//! Redirect URIs: validation at registration, and matching of requests.
//!
//! Matching is string equality (RFC 9700 §2.1). The one exception is the port of a loopback URI (RFC 8252 §7.3):
//! `http://127.0.0.1` and `http://[::1]` match with any port for a native client, `http://localhost` for a client
//! registered with `localhost_redirects`. Path and query must still be equal.

use serde::{Deserialize, Serialize};
use url::{Host, Url};

use super::loopback;

/// A registered redirect URI.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RedirectUri(String);

/// The reason why a redirect URI cannot be registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RedirectUriError {
    /// Not an absolute URI, or not in canonical spelling.
    #[error("must be an absolute URI in its plain spelling")]
    Malformed,
    /// It has a fragment (RFC 6749 §3.1.2).
    #[error("must have no fragment")]
    Fragment,
    /// It has a user name or password.
    #[error("must have no user name")]
    UserInfo,
    /// Plain `http` to another machine, or a scheme that executes or displays content.
    #[error("must be https, http to this machine, or a private-use scheme such as com.example.app:/callback")]
    Scheme,
    /// The query contains a parameter of the authorization response.
    #[error("must not carry code, state, iss or error in its query")]
    ResponseMember,
}

/// The loopback hosts on which a client may use any port.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FreePorts {
    /// `127.0.0.1` and `[::1]`
    pub addresses: bool,
    /// `localhost`
    pub localhost: bool,
}

impl FreePorts {
    fn hosts(self) -> impl Iterator<Item = &'static str> {
        let addresses = ["http://127.0.0.1", "http://[::1]"].into_iter().filter(move |_| self.addresses);
        addresses.chain(Some("http://localhost").filter(|_| self.localhost))
    }
}

/// The reason why an application on the user's machine cannot use a loopback URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unusable {
    /// Port 0 cannot be listened on.
    PortZero,
    /// Any port would match in the canonical spelling; this one only matches exactly.
    Spelling,
    /// It has no port, so it matches port 80 only.
    Port80,
}

const RESPONSE_MEMBERS: [&str; 7] =
    ["code", "state", "iss", "error", "error_description", "id_token", "access_token"];

impl RedirectUri {
    /// Validates a URI for registration.
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

    /// Returns whether the request's URI matches this registered URI.
    pub fn matches(&self, requested: &str, ports: FreePorts) -> bool {
        self.0 == requested
            || without_port(&self.0, ports).is_some_and(|ours| Some(ours) == without_port(requested, ports))
    }

    /// The reason why an application on the user's machine, which listens on any free port, can never receive a
    /// redirect at this URI; `None` for a usable URI, and for every URI of another host.
    pub fn unusable(&self, ports: FreePorts) -> Option<Unusable> {
        let url = Url::parse(&self.0).ok()?;
        let is_here = url.host().is_some_and(|host| loopback::is_loopback(&host));
        if without_port(&self.0, ports).is_some() || !is_here {
            return None;
        }
        match url.port() {
            Some(0) => Some(Unusable::PortZero),
            _ if without_port(url.as_str(), ports).is_some() => Some(Unusable::Spelling),
            None if url.scheme() == "http" && !self.names_port() => Some(Unusable::Port80),
            _ => None,
        }
    }

    /// Returns whether the URI has a port; `Url` drops a default one.
    fn names_port(&self) -> bool {
        let authority = self.0.split(['/', '?']).nth(2).unwrap_or_default();
        authority.rsplit(']').next().is_some_and(|past_address| past_address.contains(':'))
    }

    /// Returns whether the host is the user's own machine.
    pub fn is_loopback(&self) -> bool {
        let url = Url::parse(&self.0).ok();
        url.as_ref().and_then(Url::host).is_some_and(|host| loopback::is_loopback(&host))
    }

    /// The origin that a page's Content Security Policy must allow; `None` if the policy can only name the scheme: a
    /// private-use scheme, or an IPv6 host, which CSP cannot express (Content Security Policy 3 §2.3.1).
    pub fn origin(uri: &str) -> Option<String> {
        let url = Url::parse(uri).ok()?;
        let named = url.has_host() && !matches!(url.host(), Some(Host::Ipv6(_)));
        named.then(|| url.origin().ascii_serialization())
    }
}

/// RFC 8252 §7: `https`, loopback `http`, or a private-use scheme, which is a reversed domain name and therefore has a
/// dot.
fn has_allowed_scheme(url: &Url) -> bool {
    match url.scheme() {
        "https" => url.has_host(),
        "http" => url.host().is_some_and(|host| loopback::is_loopback(&host)),
        private => private.contains('.'),
    }
}

/// Splits a URI whose port is free into the text before and after its port.
fn without_port(uri: &str, ports: FreePorts) -> Option<(&'static str, &str)> {
    ports.hosts().find_map(|host| {
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

    const WEB: FreePorts = FreePorts { addresses: false, localhost: false };
    const NATIVE: FreePorts = FreePorts { addresses: true, localhost: false };
    const LOCALHOST: FreePorts = FreePorts { addresses: true, localhost: true };

    fn matches(registered: &str, requested: &str, ports: FreePorts) -> bool {
        RedirectUri::parse(registered).unwrap().matches(requested, ports)
    }

    #[test]
    fn matches_letter_by_letter() {
        let registered = "https://client.test/cb?x=1";
        assert!(matches(registered, registered, WEB));
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
            for ports in [WEB, NATIVE, LOCALHOST] {
                assert!(!matches(registered, other, ports), "{other}");
            }
        }
    }

    #[test]
    fn the_port_of_a_native_loopback_address_is_free() {
        for ports in [NATIVE, LOCALHOST] {
            assert!(matches("http://127.0.0.1/cb", "http://127.0.0.1:49152/cb", ports));
            assert!(matches("http://127.0.0.1:1/cb", "http://127.0.0.1/cb", ports));
            assert!(matches("http://[::1]/cb?a=b", "http://[::1]:8/cb?a=b", ports));
        }
        assert!(!matches("http://127.0.0.1/cb", "http://127.0.0.1:5/cb", WEB));
    }

    #[test]
    fn the_port_of_localhost_is_free_where_the_client_was_registered_so() {
        for (registered, requested) in [
            ("http://localhost/cb", "http://localhost:49152/cb"),
            ("http://localhost:3000/cb", "http://localhost/cb"),
            ("http://localhost:3000/cb?a=b", "http://localhost:80/cb?a=b"),
            ("http://localhost", "http://localhost:65535"),
        ] {
            assert!(matches(registered, requested, LOCALHOST), "{requested}");
            let localhost_alone = FreePorts { addresses: false, localhost: true };
            assert!(matches(registered, requested, localhost_alone), "{requested}");
            assert!(!matches(registered, requested, NATIVE), "{requested}");
            assert!(!matches(registered, requested, WEB), "{requested}");
            assert!(matches(registered, registered, WEB), "{registered}");
        }
    }

    /// Nothing but the port may differ, for every kind of client.
    #[test]
    fn only_the_port_of_a_loopback_uri_is_free() {
        for host in ["127.0.0.1", "localhost"] {
            for other in [
                "http://HOST:/cb",
                "http://HOST:0/cb",
                "http://HOST:99999/cb",
                "http://HOST:+1/cb",
                "http://HOST:1:2/cb",
                "http://HOST:1/cb/",
                "http://HOST:1/CB",
                "http://HOST:1/cb?x=1",
                "http://HOST:1/cb#x",
                "http://HOST:1/x/../cb",
                "http://HOST:1",
                "http://HOST:1\\/cb",
                "http://HOST:1@evil.test/cb",
                "http://HOST@evil.test/cb",
                "http://evil.test@HOST:1/cb",
                "http://HOST.evil.test/cb",
                "http://HOST.evil:1/cb",
                "http://HOST.:1/cb",
                "http://foo.HOST/cb",
                "http://foo.HOST:1/cb",
                "http://[::1]:1/cb",
                "http://[::ffff:127.0.0.1]:1/cb",
                "http://127.1:1/cb",
                "http://127.0.0.2:1/cb",
                "http://2130706433:1/cb",
                "http://LOCALHOST:1/cb",
                "HTTP://HOST:1/cb",
                "https://HOST:1/cb",
                "//HOST:1/cb",
            ] {
                let other = other.replace("HOST", host);
                for ports in [WEB, NATIVE, LOCALHOST] {
                    assert!(!matches(&format!("http://{host}/cb"), &other, ports), "{other}");
                }
            }
        }
        for ports in [WEB, NATIVE, LOCALHOST] {
            assert!(!matches("http://localhost/cb", "http://127.0.0.1:1/cb", ports));
            assert!(!matches("http://127.0.0.1/cb", "http://localhost:1/cb", ports));
            assert!(!matches("http://foo.localhost/cb", "http://foo.localhost:1/cb", ports));
            assert!(!matches("https://localhost/cb", "https://localhost:1/cb", ports));
        }
    }

    #[test]
    fn tells_what_no_application_can_use() {
        let table = [
            ("http://localhost/cb", WEB, Some(Unusable::Port80)),
            ("http://localhost/cb", NATIVE, Some(Unusable::Port80)),
            ("http://localhost/cb", LOCALHOST, None),
            ("http://127.0.0.1/cb", WEB, Some(Unusable::Port80)),
            ("http://127.0.0.1/cb", NATIVE, None),
            ("http://foo.localhost/cb", LOCALHOST, Some(Unusable::Port80)),
            ("http://127.0.0.2/a:80", LOCALHOST, Some(Unusable::Port80)),
            ("http://localhost:80/cb", NATIVE, None),
            ("http://[0::1]:80/cb", WEB, None),
            ("http://localhost:3000/cb", WEB, None),
            ("http://localhost:0/cb", WEB, Some(Unusable::PortZero)),
            ("http://127.0.0.1:0/cb", NATIVE, Some(Unusable::PortZero)),
            ("https://localhost:0/cb", LOCALHOST, Some(Unusable::PortZero)),
            ("http://LOCALHOST:1/cb", LOCALHOST, Some(Unusable::Spelling)),
            ("http://LOCALHOST:1/cb", NATIVE, None),
            ("HTTP://localhost/cb", LOCALHOST, Some(Unusable::Spelling)),
            ("http://127.1/cb", NATIVE, Some(Unusable::Spelling)),
            ("http://[0::1]:5/cb", NATIVE, Some(Unusable::Spelling)),
            ("https://localhost/cb", WEB, None),
            ("https://client.test/cb", NATIVE, None),
            ("com.example.app:/cb", NATIVE, None),
        ];
        for (uri, ports, expected) in table {
            assert_eq!(RedirectUri::parse(uri).unwrap().unusable(ports), expected, "{uri} {ports:?}");
        }
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
        for good in [
            "https://a.test/cb",
            "http://localhost:3000/",
            "http://app.localhost:3000/",
            "http://[::1]/",
            "com.example.app:/cb",
        ] {
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
            "http://localhost.evil/cb",
            "http://localhost@evil.test/cb",
            "http://localhost:1@evil.test/cb",
            "http://localhost:*/cb",
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
