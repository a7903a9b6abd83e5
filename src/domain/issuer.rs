//! Issuers: the root issuer, which serves every tenant, and the tenants' own, by path or by host name.
//!
//! Why a separate type for the URL: an issuer comes from the configuration, never from a request. A request only
//! *selects* an existing issuer ([`IssuerAddress`]).

use serde::{Deserialize, Serialize};
use url::Url;

use super::ids::{IssuerId, TenantId};
use super::loopback;
use super::tenant::TenantDomain;

/// One issuer. Keys, sessions, codes and tokens belong to exactly one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuer {
    /// Its id.
    pub id: IssuerId,
    /// The value of `iss`, without a trailing slash.
    pub url: IssuerUrl,
    /// The tenant it serves; `None` for the root issuer, whose login page asks for the tenant domain.
    pub tenant: Option<TenantId>,
}

/// An issuer URL: `https`, or `http` where the settings allow it; no query, no fragment, no user name, no trailing
/// slash.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct IssuerUrl(Url);

/// The reason why an issuer URL is invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IssuerUrlError {
    /// Not an absolute URL.
    #[error("is not an absolute URL")]
    NotAUrl,
    /// Neither `http` nor `https`.
    #[error("must begin with https:// (or http:// where plain HTTP is allowed)")]
    Scheme,
    /// It has a user name, query or fragment.
    #[error("must have no user name, no query and no fragment")]
    Extra,
}

impl IssuerUrl {
    /// Parses and normalizes (OpenID Connect Discovery §3): removes a default port and the root dot of a host name.
    pub fn parse(text: &str) -> Result<Self, IssuerUrlError> {
        let mut url = Url::parse(text.trim()).map_err(|_| IssuerUrlError::NotAUrl)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(IssuerUrlError::Scheme);
        }
        let plain = url.username().is_empty() && url.password().is_none();
        if !plain || url.query().is_some() || url.fragment().is_some() {
            return Err(IssuerUrlError::Extra);
        }
        if let Some(name) = url.host_str().and_then(|host| host.strip_suffix('.')).map(str::to_owned) {
            if name.ends_with('.') {
                return Err(IssuerUrlError::NotAUrl);
            }
            url.set_host(Some(&name)).map_err(|_| IssuerUrlError::NotAUrl)?;
        }
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&path);
        Ok(Self(url))
    }

    /// The value of `iss`. `Url` writes a slash for an empty path, the issuer does not.
    pub fn as_str(&self) -> &str {
        self.0.as_str().trim_end_matches('/')
    }

    /// The path prefix of this issuer: empty, or for example `/id`.
    pub fn path(&self) -> &str {
        self.0.path().trim_end_matches('/')
    }

    /// The host without port.
    pub fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }

    /// The host if it is a name, not an address.
    pub fn domain(&self) -> Option<&str> {
        self.0.domain()
    }

    /// The host with a non-default port, as in a `Host` header.
    pub fn authority(&self) -> String {
        let host = self.0.host_str().unwrap_or_default();
        self.0.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    /// Normalizes an authority for this issuer's scheme (RFC 9110 §4.2.3): lower case, without an empty or default
    /// port, without the root dot of a name.
    fn canonical(&self, authority: &str) -> String {
        let default_port = if self.is_https() { "443" } else { "80" };
        let (host, port) = match authority.rsplit_once(':') {
            // A colon inside the brackets of an IPv6 address does not start a port.
            Some((host, port)) if !port.ends_with(']') => (host, port),
            _ => (authority, ""),
        };
        let name = host.strip_suffix('.').filter(|name| !name.ends_with(']')).unwrap_or(host);
        let port = Some(port).filter(|port| !port.is_empty() && *port != default_port);
        let name = name.to_ascii_lowercase();
        port.map_or_else(|| name.clone(), |port| format!("{name}:{port}"))
    }

    /// Scheme and authority, as in an `Origin` header.
    pub fn origin(&self) -> String {
        self.0.origin().ascii_serialization()
    }

    /// A URL below the issuer; `path` begins with a slash.
    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.as_str())
    }

    /// Returns whether the scheme is `https`.
    pub fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// Returns whether the host is this machine.
    pub fn is_loopback(&self) -> bool {
        self.0.host().is_some_and(|host| loopback::is_loopback(&host))
    }

    /// The path issuer of a tenant: `{issuer}/t/{domain}`.
    #[must_use]
    pub fn for_tenant(&self, domain: &TenantDomain) -> Self {
        let mut url = self.0.clone();
        url.set_path(&format!("{}/t/{domain}", self.path()));
        Self(url)
    }

    /// The issuer of a tenant on its own host name, with the root's scheme, port and path.
    pub fn on_host(&self, host: &str) -> Result<Self, IssuerUrlError> {
        let mut url = self.0.clone();
        url.set_host(Some(host)).map_err(|_| IssuerUrlError::NotAUrl)?;
        Ok(Self(url))
    }
}

impl std::fmt::Display for IssuerUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl TryFrom<String> for IssuerUrl {
    type Error = IssuerUrlError;

    fn try_from(text: String) -> Result<Self, IssuerUrlError> {
        Self::parse(&text)
    }
}

impl From<IssuerUrl> for String {
    fn from(url: IssuerUrl) -> Self {
        url.as_str().to_owned()
    }
}

/// The ids of issuers: `root`, a tenant's id, or a tenant's id and one of its host names.
impl IssuerId {
    const ROOT: &str = "root";

    /// The root issuer.
    pub fn root() -> Self {
        Self::new(Self::ROOT)
    }

    /// A tenant's path issuer.
    pub fn of_tenant(tenant: &TenantId) -> Self {
        Self::new(tenant.as_str())
    }

    /// A tenant's issuer on one of its host names.
    pub fn of_host(tenant: &TenantId, host: &str) -> Self {
        Self::new(format!("{tenant}/{host}"))
    }

    /// Returns whether it is the root issuer.
    pub fn is_root(&self) -> bool {
        self.as_str() == Self::ROOT
    }

    /// The tenant that the issuer serves; `None` for the root issuer.
    pub fn tenant(&self) -> Option<TenantId> {
        let (tenant, _) = self.as_str().split_once('/').unwrap_or((self.as_str(), ""));
        (!self.is_root()).then(|| TenantId::new(tenant))
    }

    /// The host name of a tenant's host issuer.
    pub fn host(&self) -> Option<&str> {
        self.as_str().split_once('/').map(|(_, host)| host)
    }

    /// The issuer at which the clients visible here are registered: host issuers share their tenant's clients.
    #[must_use]
    pub fn home(&self) -> Self {
        self.tenant().map_or_else(Self::root, |tenant| Self::of_tenant(&tenant))
    }
}

/// The part of a request's address that selects an issuer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum IssuerAddress {
    /// The root issuer.
    Root,
    /// The path `/t/{domain}` below the root issuer.
    Tenant(TenantDomain),
    /// A host name other than the root's, in lower case without port. It may belong to a tenant.
    Host(String),
}

impl IssuerAddress {
    /// Parses the authority of a request in any spelling. `None`: no issuer can have it.
    pub fn of_authority(root: &IssuerUrl, authority: &str) -> Option<Self> {
        let authority = root.canonical(authority);
        if authority == root.authority() {
            return Some(Self::Root);
        }
        let url = Url::parse(&format!("https://{authority}/")).ok()?;
        let name = url.host_str()?;
        // Another port, a user name, a path or an escaped character is a different authority.
        let is_canonical = root.on_host(name).is_ok_and(|url| url.authority() == authority);
        (is_canonical && !name.ends_with('.')).then(|| Self::Host(name.to_owned()))
    }

    /// Parses the tenant in the path below the root issuer. Only the canonical spelling is accepted, because a second
    /// spelling would be a second issuer.
    pub fn of_path(domain: &str) -> Option<Self> {
        let canonical = TenantDomain::parse(domain).ok()?;
        (canonical.as_str() == domain).then_some(Self::Tenant(canonical))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_name_tells_its_tenant_and_host() {
        let tenant = TenantId::new("7d0c");
        let host = IssuerId::of_host(&tenant, "login.test");
        assert_eq!((host.tenant(), host.host()), (Some(tenant.clone()), Some("login.test")));
        assert_eq!(host.home(), IssuerId::of_tenant(&tenant));
        assert_eq!(
            (IssuerId::of_tenant(&tenant).tenant(), IssuerId::of_tenant(&tenant).host()),
            (Some(tenant), None)
        );
        assert_eq!((IssuerId::root().tenant(), IssuerId::root().home()), (None, IssuerId::root()));
    }

    fn root() -> IssuerUrl {
        IssuerUrl::parse("http://localhost:8080/id/").unwrap()
    }

    #[test]
    fn is_written_without_a_trailing_slash() {
        assert_eq!(root().as_str(), "http://localhost:8080/id");
        assert_eq!(IssuerUrl::parse("https://id.test/").unwrap().as_str(), "https://id.test");
        assert_eq!(IssuerUrl::parse("https://id.test").unwrap().at("/token"), "https://id.test/token");
    }

    #[test]
    fn refuses_what_an_issuer_must_not_have() {
        for text in
            ["", "id.test", "ftp://id.test", "https://id.test?x=1", "https://id.test#x", "https://u@id.test"]
        {
            assert!(IssuerUrl::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn derives_the_tenants_issuers() {
        let domain = TenantDomain::parse("123456.sms").unwrap();
        assert_eq!(root().for_tenant(&domain).as_str(), "http://localhost:8080/id/t/123456.sms");
        assert_eq!(root().on_host("login.test").unwrap().as_str(), "http://login.test:8080/id");
    }

    #[test]
    fn a_default_port_and_the_root_dot_are_left_out() {
        for (text, issuer) in [
            ("https://id.test:443", "https://id.test"),
            ("https://id.test:443/a/", "https://id.test/a"),
            ("http://id.test:80", "http://id.test"),
            ("https://ID.test.", "https://id.test"),
            ("https://id.test.:443/a", "https://id.test/a"),
            ("https://id.test.:8443", "https://id.test:8443"),
            ("http://localhost.:8080", "http://localhost:8080"),
            ("https://[::1]:443", "https://[::1]"),
            ("https://127.0.0.1.", "https://127.0.0.1"),
            ("https://id.test:80", "https://id.test:80"),
        ] {
            assert_eq!(IssuerUrl::parse(text).unwrap().as_str(), issuer, "{text}");
        }
        assert!(IssuerUrl::parse("https://.").is_err());
        assert!(IssuerUrl::parse("https://id.test..").is_err());
    }

    /// The issuer selected by this authority: `/` for the root, a host, or `None`.
    fn selected(root: &str, authority: &str) -> Option<String> {
        let address = IssuerAddress::of_authority(&IssuerUrl::parse(root).unwrap(), authority)?;
        Some(match address {
            IssuerAddress::Host(host) => host,
            root => {
                assert_eq!(root, IssuerAddress::Root);
                "/".to_owned()
            }
        })
    }

    #[test]
    fn every_spelling_of_a_host_selects_the_same_issuer() {
        for (root, authority, expected) in [
            ("https://id.test", "id.test", "/"),
            ("https://id.test", "ID.test:443", "/"),
            ("https://id.test:443", "id.test:443", "/"),
            ("https://id.test", "id.test.", "/"),
            ("https://id.test.", "id.test", "/"),
            ("https://id.test", "Id.Test.:443", "/"),
            ("https://id.test", "id.test:", "/"),
            ("http://id.test", "id.test:80", "/"),
            ("https://id.test:8443", "id.test.:8443", "/"),
            ("https://[2001:db8::1]", "[2001:db8::1]:443", "/"),
            ("https://[2001:db8::1]", "[2001:DB8::1]", "/"),
            ("http://[::1]:8080", "[::1]:8080", "/"),
            ("https://id.test", "login.test:443", "login.test"),
            ("https://id.test", "LOGIN.test.", "login.test"),
            ("http://id.test:8080/id", "Login.test:8080", "login.test"),
            ("http://id.test", "login.test.:80", "login.test"),
            ("https://id.test", "[::1]:443", "[::1]"),
        ] {
            assert_eq!(selected(root, authority).as_deref(), Some(expected), "{root} {authority}");
        }
    }

    #[test]
    fn a_request_never_names_an_issuer() {
        for odd in [
            "",
            ":",
            ".",
            ":443",
            "id.test:80",
            "id.test:0443",
            "id.test:+443",
            "id.test:443:443",
            "id.test..",
            "id.test.:443.",
            "u@id.test",
            "u@login.test:443",
            "login.test:8443",
            "login.test:443/x",
            "login.test?",
            "login.test\\",
            "login%2etest",
            "login test",
            "[::1].",
            "[::1",
            "[0::1]",
            "0x7f.1",
        ] {
            assert_eq!(selected("https://id.test", odd), None, "{odd}");
        }
        for odd in ["id.test", "id.test.", "id.test:443", "login.test", "login.test:80", "login.test:1"] {
            assert_eq!(selected("http://id.test:8080/id", odd), None, "{odd}");
        }
    }

    #[test]
    fn a_tenant_in_the_path_has_one_spelling() {
        let domain = TenantDomain::parse("a.sms").unwrap();
        assert_eq!(IssuerAddress::of_path("a.sms"), Some(IssuerAddress::Tenant(domain)));
        for odd in ["A.sms", "a.sms.", " a.sms", "a..sms", ""] {
            assert_eq!(IssuerAddress::of_path(odd), None, "{odd}");
        }
    }
}
