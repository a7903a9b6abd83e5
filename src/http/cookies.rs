//! Cookies: one name per purpose and issuer, host-only, never readable by scripts.
//!
//! On `https` every name has the `__Host-` prefix, which makes browsers refuse a `Domain` and demand `Secure`
//! (RFC 6265bis §4.1.3.2). The issuer's URL is part of the name because all that is below one host shares its cookie jar:
//! tenants, other providers, and even what listens on another port (RFC 6265 §8.5).

use std::time::Duration;

use axum::http::header::COOKIE;
use axum::http::{HeaderMap, HeaderValue};

use crate::crypto::secret::{self, Secret};
use crate::domain::header::trim_ows_bytes;
use crate::domain::ids::Hash;
use crate::domain::issuer::Issuer;

/// The cookies of one issuer in one request.
#[derive(Clone, Debug)]
pub(crate) struct Cookies<'a> {
    issuer: &'a Issuer,
    headers: &'a HeaderMap,
}

impl<'a> Cookies<'a> {
    /// Who is signed in.
    pub(crate) const SESSION: &'static str = "session";
    /// Which browser a login in progress belongs to.
    pub(crate) const BROWSER: &'static str = "browser";
    /// The link to a new password that was opened last, or the ticket that took its place.
    pub(crate) const RESET: &'static str = "reset";
    /// Which browser its user trusts; each user of a browser has one of their own, so the user's id follows.
    pub(crate) const TRUSTED: &'static str = "trusted";
    /// By which a browser is known again in which a user has signed in.
    pub(crate) const KNOWN: &'static str = "known";
    /// At which upstream provider the browser's user signed in last.
    pub(crate) const UPSTREAM: &'static str = "upstream";
    /// The language chosen with the switch.
    pub(crate) const LOCALE: &'static str = "locale";
    /// The language that the pages of the last login had, whatever it came from; for the pages of sign-out.
    pub(crate) const SHOWN_LOCALE: &'static str = "shown";

    /// The cookies that this issuer may see.
    pub(crate) const fn new(issuer: &'a Issuer, headers: &'a HeaderMap) -> Self {
        Self { issuer, headers }
    }

    /// Returns the value of a cookie. A doubled one counts as absent: which of the two is ours cannot be told.
    pub(crate) fn value(&self, purpose: &str) -> Option<&'a str> {
        let name = name(self.issuer, purpose);
        // Byte by byte: another application on this host may write what is not text into a cookie of its own.
        let headers = self.headers.get_all(COOKIE).into_iter().map(HeaderValue::as_bytes);
        let pairs = headers.flat_map(|header| header.split(|&b| b == b';'));
        let mut found =
            pairs.filter_map(|pair| trim_ows_bytes(pair).strip_prefix(name.as_bytes())?.strip_prefix(b"="));
        let value = str::from_utf8(found.next()?).ok().filter(|value| !value.is_empty());
        if found.next().is_some() { None } else { value }
    }

    /// The hash under which the secret in a cookie is stored.
    pub(crate) fn hash(&self, purpose: &str) -> Option<Hash> {
        self.value(purpose).map(secret::hash)
    }
}

/// `Set-Cookie` for a secret that lives until the browser is closed.
pub(crate) fn set(issuer: &Issuer, purpose: &str, value: &Secret) -> Option<HeaderValue> {
    header(issuer, purpose, value.expose(), "")
}

/// `Set-Cookie` for a harmless choice that is kept for a year.
pub(crate) fn keep(issuer: &Issuer, purpose: &str, value: &str) -> Option<HeaderValue> {
    header(issuer, purpose, value, "; Max-Age=31536000")
}

/// `Set-Cookie` for a secret that is kept for this time.
pub(crate) fn keep_secret(
    issuer: &Issuer,
    purpose: &str,
    value: &Secret,
    lifetime: Duration,
) -> Option<HeaderValue> {
    header(issuer, purpose, value.expose(), &format!("; Max-Age={}", lifetime.as_secs()))
}

/// `Set-Cookie` that removes a cookie.
pub(crate) fn remove(issuer: &Issuer, purpose: &str) -> Option<HeaderValue> {
    header(issuer, purpose, "", "; Max-Age=0")
}

/// `SameSite=Lax`: the cookie must come along when a client sends its user here.
fn header(issuer: &Issuer, purpose: &str, value: &str, more: &str) -> Option<HeaderValue> {
    let secure = if issuer.url.is_https() { "; Secure" } else { "" };
    let name = name(issuer, purpose);
    HeaderValue::try_from(format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{more}")).ok()
}

fn name(issuer: &Issuer, purpose: &str) -> String {
    let prefix = if issuer.url.is_https() { "__Host-" } else { "" };
    let hash = secret::hash(issuer.url.as_str());
    let short = hash.as_str().get(..8).unwrap_or_default();
    format!("{prefix}vestibule-{purpose}-{short}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::IssuerId;
    use crate::domain::issuer::IssuerUrl;

    fn issuer(url: &str) -> Issuer {
        Issuer { id: IssuerId::new("root"), url: IssuerUrl::parse(url).unwrap(), tenant: None }
    }

    fn request(cookie: &str) -> HeaderMap {
        HeaderMap::from_iter([(COOKIE, HeaderValue::from_str(cookie).unwrap())])
    }

    #[test]
    fn is_host_only_and_out_of_reach_of_scripts() {
        let header = set(&issuer("https://id.test"), Cookies::SESSION, &Secret::new("s".into())).unwrap();
        let text = header.to_str().unwrap();
        assert!(text.starts_with("__Host-vestibule-session-"), "{text}");
        for part in ["; Path=/", "; HttpOnly", "; SameSite=Lax", "; Secure"] {
            assert!(text.contains(part), "{text}");
        }
        assert!(!text.contains("Domain"), "{text}");
    }

    #[test]
    fn is_found_again_by_its_issuer_only() {
        let root = issuer("http://localhost:8080");
        let name = name(&root, Cookies::SESSION);
        let headers = request(&format!("a=b; {name}=x"));
        assert_eq!(Cookies::new(&root, &headers).value(Cookies::SESSION), Some("x"));
        for other in ["http://localhost:8081", "http://localhost:8080/id", "http://localhost:8080/t/a.test"] {
            assert_eq!(Cookies::new(&issuer(other), &headers).value(Cookies::SESSION), None, "{other}");
        }
    }

    #[test]
    fn is_found_beside_cookies_that_are_not_text() {
        let root = issuer("http://localhost:8080");
        let name = name(&root, Cookies::SESSION);
        let cookie = [b"a=caf\xc3\xa9; b=\xff; ", name.as_bytes(), b"=x; c=\xe9"].concat();
        let headers = HeaderMap::from_iter([(COOKIE, HeaderValue::from_bytes(&cookie).unwrap())]);
        assert_eq!(Cookies::new(&root, &headers).value(Cookies::SESSION), Some("x"));
    }

    /// The value of the session's cookie in a header with these bytes.
    fn session_in(issuer: &Issuer, cookie: &[u8]) -> Option<String> {
        let headers = HeaderMap::from_iter([(COOKIE, HeaderValue::from_bytes(cookie).unwrap())]);
        Cookies::new(issuer, &headers).value(Cookies::SESSION).map(str::to_owned)
    }

    /// A sibling subdomain may set a cookie of such a name for the whole domain: it lacks the prefix that forbids that.
    #[test]
    fn white_space_of_unicode_makes_another_name() {
        let issuer = issuer("https://id.test");
        let name = name(&issuer, Cookies::SESSION);
        let spaces = (0x80..=0x10_ffff).filter_map(char::from_u32).filter(|c| c.is_whitespace());
        let spaces: Vec<_> = spaces.chain(['\u{200b}', '\u{feff}']).collect();
        assert!(spaces.contains(&'\u{85}') && spaces.contains(&'\u{3000}'), "{spaces:?}");
        for space in spaces {
            for cookie in
                [format!("{space}{name}=x"), format!("{name}{space}=x"), format!("a=b;{space}{name}=x")]
            {
                assert_eq!(session_in(&issuer, cookie.as_bytes()), None, "{cookie:?}");
            }
            let beside = format!("{space}{name}=evil; {name}=x");
            assert_eq!(session_in(&issuer, beside.as_bytes()).as_deref(), Some("x"), "{beside:?}");
        }
        for byte in [&b"\x85"[..], b"\xa0", b"\xff"] {
            assert_eq!(session_in(&issuer, &[byte, name.as_bytes(), b"=x"].concat()), None, "{byte:?}");
        }
        for cookie in [format!("\t {name}=x \t"), format!("a=b;{name}=x"), format!("a=b;\t{name}=x;")] {
            assert_eq!(session_in(&issuer, cookie.as_bytes()).as_deref(), Some("x"), "{cookie:?}");
        }
    }

    #[test]
    fn a_second_cookie_of_the_name_counts_even_if_it_is_not_text() {
        let issuer = issuer("https://id.test");
        let name = name(&issuer, Cookies::SESSION);
        let cookie = [name.as_bytes(), b"=x; ", name.as_bytes(), b"=\xff"].concat();
        assert_eq!(session_in(&issuer, &cookie), None);
    }

    #[test]
    fn empty_and_doubled_cookies_count_as_absent() {
        let root = issuer("http://localhost:8080");
        let name = name(&root, Cookies::SESSION);
        for cookie in [format!("{name}="), format!("{name}=a; {name}=b"), name.clone()] {
            assert_eq!(Cookies::new(&root, &request(&cookie)).value(Cookies::SESSION), None, "{cookie}");
        }
    }
}
