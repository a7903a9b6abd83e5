//! Decides which addresses may be fetched: those that everybody on the Internet can reach.
//!
//! Clients name URLs that the provider fetches (`jwks_uri` and the like). From the provider's network, some of them
//! would reach what outsiders must not: the provider itself, its neighbours, the cloud's metadata service. So a host
//! name is judged by the addresses it resolves to, at the moment of connecting.
//!
//! Why tables and not the standard library: `IpAddr::is_global` is unstable. The tables are IANA's two registries of
//! special-purpose addresses (RFC 6890). For IPv6 only the one block of global unicast addresses is allowed (RFC 4291
//! §2.4), which excludes addresses with an embedded IPv4 address (mapped, compatible, NAT64), local ones and future
//! special blocks.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ipnet::{Ipv4Net, Ipv6Net};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

use super::AddressRefusal;
use crate::domain::loopback;

const fn v4(octets: [u8; 4], prefix: u8) -> Ipv4Net {
    let [a, b, c, d] = octets;
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

const fn v6(first: u16, second: u16, prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(first, second, 0, 0, 0, 0, 0, 0), prefix)
}

const NOT_PUBLIC_V4: [Ipv4Net; 16] = [
    v4([0, 0, 0, 0], 8),        // this network (RFC 791)
    v4([10, 0, 0, 0], 8),       // private (RFC 1918)
    v4([100, 64, 0, 0], 10),    // carrier-grade NAT (RFC 6598)
    v4([127, 0, 0, 0], 8),      // loopback (RFC 1122)
    v4([168, 63, 129, 16], 32), // Azure's platform, seen from inside only
    v4([169, 254, 0, 0], 16),   // link-local (RFC 3927), and metadata services
    v4([172, 16, 0, 0], 12),    // private (RFC 1918)
    v4([192, 0, 0, 0], 24),     // protocol assignments (RFC 6890)
    v4([192, 0, 2, 0], 24),     // documentation (RFC 5737)
    v4([192, 88, 99, 0], 24),   // 6to4 relays (RFC 7526)
    v4([192, 168, 0, 0], 16),   // private (RFC 1918)
    v4([198, 18, 0, 0], 15),    // benchmarks (RFC 2544)
    v4([198, 51, 100, 0], 24),  // documentation (RFC 5737)
    v4([203, 0, 113, 0], 24),   // documentation (RFC 5737)
    v4([224, 0, 0, 0], 4),      // multicast (RFC 5771)
    v4([240, 0, 0, 0], 4),      // reserved, and broadcast (RFC 1112, RFC 919)
];

const GLOBAL_V6: Ipv6Net = v6(0x2000, 0, 3);

const NOT_PUBLIC_V6: [Ipv6Net; 4] = [
    v6(0x2001, 0, 23),     // protocol assignments, Teredo among them (RFC 2928, RFC 4380)
    v6(0x2001, 0xdb8, 32), // documentation (RFC 3849)
    v6(0x2002, 0, 16),     // 6to4: an IPv4 address inside (RFC 3056)
    v6(0x3fff, 0, 20),     // documentation (RFC 9637)
];

/// Returns whether the address is reachable from the whole Internet.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !NOT_PUBLIC_V4.iter().any(|net| net.contains(&address)),
        IpAddr::V6(address) => {
            GLOBAL_V6.contains(&address) && !NOT_PUBLIC_V6.iter().any(|net| net.contains(&address))
        }
    }
}

/// Returns whether this URL may be fetched, as far as can be decided before its name is resolved.
pub(super) fn admit(url: &Url) -> Result<(), AddressRefusal> {
    if url.scheme() != "https" {
        return Err(AddressRefusal::NotHttps);
    }
    let literal = match url.host() {
        // Some resolvers query the network for names below `localhost` and accept any answer.
        Some(host @ Host::Domain(_)) if loopback::is_loopback(&host) => return Err(AddressRefusal::Inside),
        Some(Host::Domain(_)) => return Ok(()),
        Some(Host::Ipv4(address)) => address.into(),
        Some(Host::Ipv6(address)) => address.into(),
        None => return Err(AddressRefusal::NotHttps),
    };
    if is_public(literal) { Ok(()) } else { Err(AddressRefusal::Inside) }
}

/// Resolves names to their public addresses only. The connection uses one of these without another lookup, so a name
/// cannot change its address in between (DNS rebinding).
pub(super) struct PublicAddresses;

impl Resolve for PublicAddresses {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let all = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public: Vec<SocketAddr> = all.filter(|address| is_public(address.ip())).collect();
            if public.is_empty() {
                return Err(AddressRefusal::Inside.into());
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_the_internet_are_public() {
        for text in [
            "1.1.1.1",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "128.0.0.1",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2001:200::1",
            "2606:4700::1111",
            "2a00:1450:4001::1",
            "2003::1",
        ] {
            assert!(is_public(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn all_others_are_not() {
        for text in [
            "0.0.0.0",
            "10.0.0.1",
            "10.255.255.255",
            "100.64.0.1",
            "100.100.100.200",
            "127.0.0.1",
            "127.255.255.254",
            "168.63.129.16",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.192",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.9",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::8.8.8.8",
            "::ffff:127.0.0.1",
            "::ffff:8.8.8.8",
            "64:ff9b::7f00:1",
            "64:ff9b::8.8.8.8",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:2::1",
            "2001:20::1",
            "2001:db8::1",
            "2002:7f00:1::1",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!is_public(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn an_address_is_known_in_every_spelling() {
        for host in [
            "127.0.0.1",
            "127.1",
            "127.0.1",
            "0x7f.0.0.1",
            "0x7f000001",
            "017700000001",
            "2130706433",
            "0177.0.0.1",
            "127.0.0.1.",
            "%31%32%37.0.0.1",
            "①②⑦.0.0.1",
            "[::1]",
            "[0:0:0:0:0:0:0:1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[::7f00:1]",
            "[64:ff9b::7f00:1]",
            "0",
            "0.0.0.0",
            "169.254.169.254",
            "0xa9fea9fe",
            "[fe80::1]",
            "[fd00::1]",
            "localhost",
            "LOCALHOST.",
            "keys.localhost",
        ] {
            let url = Url::parse(&format!("https://{host}/keys")).unwrap();
            assert_eq!(admit(&url), Err(AddressRefusal::Inside), "{host}");
        }
    }

    #[test]
    fn only_https_is_spoken() {
        for text in ["http://keys.example.com/", "ftp://keys.example.com/", "file:///etc/passwd", "data:,x"] {
            assert_eq!(admit(&Url::parse(text).unwrap()), Err(AddressRefusal::NotHttps), "{text}");
        }
        for text in [
            "https://keys.localhost.example/",
            "https://keys.example.com/",
            "https://1.1.1.1/",
            "HTTPS://[2606:4700::1111]:8443/",
        ] {
            assert_eq!(admit(&Url::parse(text).unwrap()), Ok(()), "{text}");
        }
    }

    #[tokio::test]
    async fn a_name_that_leads_inside_leads_nowhere() {
        let resolved = PublicAddresses.resolve("localhost".parse().unwrap()).await;
        let refusal = resolved.err().unwrap().downcast::<AddressRefusal>().unwrap();
        assert_eq!(*refusal, AddressRefusal::Inside);
    }
}
