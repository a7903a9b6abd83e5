//! Back-channel logout: where logout tokens may be sent, and their delivery as operators see it.

use url::Url;

use super::ids::ClientId;
use super::loopback::is_loopback;
use super::message::Delivery;

/// The logout token of one ended session for one of its clients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogoutNotice {
    /// The client that is told.
    pub client: ClientId,
    /// Where the delivery stands.
    pub delivery: Delivery,
    /// Why the last try failed.
    pub reason: Option<String>,
    /// The number of tries so far.
    pub tries: i64,
}

/// Checks a `backchannel_logout_uri` (Back-Channel Logout §2.2): an absolute https URL without a fragment. On this machine
/// http is allowed too.
pub fn is_backchannel_logout_uri(text: &str) -> bool {
    let plain = text.len() <= MAX_URI && text.bytes().all(|b| b.is_ascii_graphic());
    let url = Some(text).filter(|_| plain).and_then(|text| Url::parse(text).ok());
    url.is_some_and(|url| {
        let is_here = url.host().is_some_and(|host| is_loopback(&host));
        let fits = url.scheme() == "https" || (url.scheme() == "http" && is_here);
        fits && url.has_host()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none()
    })
}

/// Maximum length of a `backchannel_logout_uri` in bytes.
const MAX_URI: usize = 2048;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_logout_uri_is_a_secure_url_without_a_fragment() {
        for uri in ["https://rp.test/logout?x=1", "http://127.0.0.1:8081/logout", "http://localhost/out"] {
            assert!(is_backchannel_logout_uri(uri), "{uri}");
        }
        for uri in [
            "",
            "/logout",
            "http://rp.test/logout",
            "https://rp.test/#a",
            "https://u:p@rp.test/",
            "ftp://rp.test/",
            "https:///x y",
        ] {
            assert!(!is_backchannel_logout_uri(uri), "{uri}");
        }
    }
}
