//! The address a request came from, as far as limits per address need it.
//!
//! A header is read from configured proxies alone, because the sender of a request also writes its headers. Of the
//! addresses that proxies append, the right-most one that is not a configured proxy is trusted; those to its left may be
//! forged. No other header of a proxy is used: the issuer is configuration.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, header::FORWARDED};
use ipnet::IpNet;

use crate::domain::header::trim_ows;
use crate::provider::Idp;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The client's address; `None` where the host application serves without connection information.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ClientAddress(Option<IpAddr>);

impl ClientAddress {
    /// The network whose tries are counted together: an IPv4 address, or an IPv6 /64 (one household's share).
    pub(crate) fn network(self) -> Option<String> {
        self.0.map(|ip| match ip {
            IpAddr::V4(ip) => ip.to_string(),
            IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() >> 64 << 64).to_string(),
        })
    }

    /// A proxy writes one of the two headers and may pass the other on as the client wrote it. If they differ,
    /// neither is trusted and the request counts as the proxy's own.
    fn of(peer: Option<IpAddr>, headers: &HeaderMap, proxies: &[IpNet]) -> Self {
        let Some(peer) = peer.map(|ip| ip.to_canonical()) else { return Self(None) };
        if !is_proxy(peer, proxies) {
            return Self(Some(peer));
        }
        let forwarded = hops(headers, &FORWARDED).map(|hops| outermost(peer, hops, forwarded_for, proxies));
        let x_forwarded_for =
            hops(headers, &X_FORWARDED_FOR).map(|hops| outermost(peer, hops, node, proxies));
        Self(Some(match (forwarded, x_forwarded_for) {
            (Some(one), Some(other)) if one != other => peer,
            (Some(client), _) | (None, Some(client)) => client,
            (None, None) => peer,
        }))
    }
}

impl FromRequestParts<Idp> for ClientAddress {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, idp: &Idp) -> Result<Self, Infallible> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
        Ok(Self::of(peer, &parts.headers, &idp.settings().trusted_proxies))
    }
}

fn is_proxy(ip: IpAddr, proxies: &[IpNet]) -> bool {
    proxies.iter().any(|network| network.contains(&ip))
}

/// What all lines of a header list, the last first. Commas in quotes part too: the addresses that our proxies append
/// have none, and a quote that the client has opened must not swallow them.
fn hops<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<impl Iterator<Item = &'h str> + use<'h>> {
    headers.contains_key(name).then(|| {
        let lines: Vec<&str> = headers.get_all(name).iter().map(|line| line.to_str().unwrap_or("")).collect();
        lines.into_iter().rev().flat_map(|line| line.rsplit(',')).map(trim_ows)
    })
}

/// The first hop that is no proxy of ours; before one that cannot be read, the last that could.
fn outermost<'h>(
    peer: IpAddr,
    hops: impl Iterator<Item = &'h str>,
    read: impl Fn(&'h str) -> Option<IpAddr>,
    proxies: &[IpNet],
) -> IpAddr {
    let mut known = peer;
    for hop in hops.map(read) {
        let Some(ip) = hop.map(|ip| ip.to_canonical()) else { break };
        known = ip;
        if !is_proxy(ip, proxies) {
            break;
        }
    }
    known
}

/// The `for` of one element (RFC 7239 §4).
fn forwarded_for(element: &str) -> Option<IpAddr> {
    let mut pairs = element.split(';').filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(name, _)| trim_ows(name).eq_ignore_ascii_case("for"))?;
    node(trim_ows(value).trim_matches('"'))
}

/// An address, alone or with a port; IPv6 in brackets if there is one (RFC 7239 §6).
fn node(text: &str) -> Option<IpAddr> {
    let alone = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    alone.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn one_household_is_one_network() {
        let network = |text: &str| {
            let peer = Some(text.parse().unwrap());
            ClientAddress::of(peer, &HeaderMap::new(), &[]).network().unwrap()
        };
        assert_eq!(network("2001:db8:1:2::7"), network("2001:db8:1:2:ffff::1"));
        assert_ne!(network("2001:db8:1:2::7"), network("2001:db8:1:3::7"));
        assert_eq!(network("::ffff:192.0.2.1"), "192.0.2.1");
    }

    /// The client of a request from `peer` with these headers, where 10/8 and `fd00::/8` are proxies.
    fn client(peer: &str, headers: &[(&'static str, &str)]) -> String {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_str(value).unwrap());
        }
        let proxies = ["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
        ClientAddress::of(Some(peer.parse().unwrap()), &map, &proxies).0.unwrap().to_string()
    }

    #[test]
    fn what_a_stranger_writes_has_no_effect() {
        for header in [
            ("forwarded", "for=10.0.0.1"),
            ("x-forwarded-for", "192.0.2.99"),
            ("x-real-ip", "192.0.2.99"),
            ("true-client-ip", "192.0.2.99"),
            ("x-client-ip", "192.0.2.99"),
            ("x-forwarded-host", "192.0.2.99"),
        ] {
            assert_eq!(client("192.0.2.1", &[header]), "192.0.2.1", "{header:?}");
        }
        for header in [("x-real-ip", "192.0.2.99"), ("true-client-ip", "192.0.2.99")] {
            assert_eq!(client("10.0.0.1", &[header]), "10.0.0.1", "{header:?}");
        }
    }

    #[test]
    fn a_proxy_is_believed_as_far_as_it_saw_itself() {
        for (value, expected) in [
            ("192.0.2.7", "192.0.2.7"),
            ("198.51.100.1, 192.0.2.7", "192.0.2.7"),
            ("198.51.100.1, 192.0.2.7, 10.1.1.1", "192.0.2.7"),
            ("10.0.0.9, 10.1.1.1", "10.0.0.9"),
            ("192.0.2.7:4711", "192.0.2.7"),
            ("[2001:db8::1]:4711", "2001:db8::1"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("198.51.100.1, unknown, 10.1.1.1", "10.1.1.1"),
            ("login.example.test", "10.0.0.1"),
            ("", "10.0.0.1"),
        ] {
            assert_eq!(client("10.0.0.1", &[("x-forwarded-for", value)]), expected, "{value}");
        }
        for (value, expected) in [
            ("for=192.0.2.7", "192.0.2.7"),
            ("for=198.51.100.1, For=\"192.0.2.7:80\";proto=https;by=10.0.0.1", "192.0.2.7"),
            ("for=\"[2001:db8::1]:4711\";host=x", "2001:db8::1"),
            ("for=\"198.51.100.1, for=192.0.2.7", "192.0.2.7"),
            ("for=_hidden", "10.0.0.1"),
            ("proto=https", "10.0.0.1"),
        ] {
            assert_eq!(client("10.0.0.1", &[("forwarded", value)]), expected, "{value}");
        }
        let peer = "fd00::1";
        assert_eq!(
            client(peer, &[("x-forwarded-for", "1.1.1.1"), ("x-forwarded-for", "2.2.2.2")]),
            "2.2.2.2"
        );
    }

    #[test]
    fn a_header_that_the_proxy_passed_on_does_not_win() {
        let (by_proxy, by_client) = (("x-forwarded-for", "192.0.2.7"), ("forwarded", "for=198.51.100.1"));
        assert_eq!(client("10.0.0.1", &[by_proxy, by_client]), "10.0.0.1");
        assert_eq!(client("10.0.0.1", &[by_proxy, ("forwarded", "for=192.0.2.7")]), "192.0.2.7");
    }
}
