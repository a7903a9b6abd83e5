//! Settings of outbound requests, applied by the client in the module `outbound`.

use url::{Host, Url};

/// Settings of everything that the provider calls: clients' keys, gateways, upstream providers, the mail server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outbound {
    /// Certificate authorities to trust besides the public ones, as PEM texts.
    pub ca: Vec<String>,
    /// Internal hosts that may be called, also over plain http and plain SMTP.
    pub allow: Vec<AllowedHost>,
}

/// A host exempt from the guard against internal addresses: `name`, `name:port`, `10.0.0.7:8443`, `[::1]:8443`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowedHost {
    host: Host,
    port: Option<u16>,
}

/// The text is not a valid host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be a host name or an address, perhaps with a port: gateway.internal, 10.0.0.7:8443, [::1]:8443"
)]
pub struct AllowedHostError;

impl AllowedHost {
    /// Parses a host as in a URL. Without a port it is allowed on every port.
    pub fn parse(text: &str) -> Result<Self, AllowedHostError> {
        // Parsed by the same parser as the URLs it is compared with.
        let plain =
            !text.contains(['/', '?', '#', '@', '\\', '*']) && text.bytes().all(|b| b.is_ascii_graphic());
        let url = Some(text).filter(|_| plain).and_then(|text| Url::parse(&format!("http://{text}/")).ok());
        let host = url.as_ref().and_then(Url::host).ok_or(AllowedHostError)?.to_owned();
        let past_address = text.rsplit_once(']').map_or(text, |(_, rest)| rest);
        let port = match past_address.rsplit_once(':') {
            Some((_, port)) => Some(port.parse().map_err(|_| AllowedHostError)?),
            None => None,
        };
        Ok(Self { host, port })
    }

    /// Returns whether it is the host of this URL.
    pub fn covers(&self, url: &Url) -> bool {
        let port_fits = self.port.is_none() || self.port == url.port_or_known_default();
        port_fits && url.host().is_some_and(|host| host.to_owned() == self.host)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covers(allowed: &str, url: &str) -> bool {
        AllowedHost::parse(allowed).unwrap().covers(&Url::parse(url).unwrap())
    }

    #[test]
    fn a_host_is_covered_in_every_spelling_and_no_other_is() {
        for (allowed, url) in [
            ("gateway.internal", "https://gateway.internal/keys"),
            ("Gateway.Internal", "http://gateway.INTERNAL:8080/"),
            ("gateway.internal:443", "https://gateway.internal/"),
            ("gateway.internal:80", "http://gateway.internal/"),
            ("127.0.0.1:9000", "http://127.1:9000/"),
            ("2130706433", "http://127.0.0.1/"),
            ("[::1]:9000", "http://[0:0::1]:9000/"),
            ("[::1]", "http://[::1]:9000/"),
        ] {
            assert!(covers(allowed, url), "{allowed} {url}");
        }
        for (allowed, url) in [
            ("gateway.internal", "https://gateway.internal.evil.test/"),
            ("gateway.internal", "https://evil.test/gateway.internal"),
            ("gateway.internal", "https://gateway.internal@evil.test/"),
            ("gateway.internal:8443", "https://gateway.internal/"),
            ("127.0.0.1:9000", "http://127.0.0.1:9001/"),
            ("127.0.0.1", "http://[::ffff:127.0.0.1]/"),
            ("[::1]:9000", "http://[::1]/"),
        ] {
            assert!(!covers(allowed, url), "{allowed} {url}");
        }
    }

    #[test]
    fn anything_but_a_host_is_refused() {
        for text in [
            "",
            ":443",
            "https://gateway.internal",
            "gateway.internal/path",
            "user@gateway",
            "*.internal",
            "gateway internal",
            "gateway:port",
            "gateway:70000",
            "gateway:",
            "[::1",
            "a?b",
            "a#b",
        ] {
            assert!(AllowedHost::parse(text).is_err(), "{text}");
        }
    }
}
