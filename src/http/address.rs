//! The address a request came from, as far as limits per address need it.
//!
//! Why no header is read: whoever sends the request also writes its headers. A proxy's word counts only once the
//! settings name that proxy.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;

/// The peer's address; `None` where the host application serves without connection information.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ClientAddress(Option<IpAddr>);

impl ClientAddress {
    /// The network whose tries are counted together: an IPv4 address, or an IPv6 /64 (one household's share).
    pub(crate) fn network(self) -> Option<String> {
        self.0.map(|ip| match ip.to_canonical() {
            IpAddr::V4(ip) => ip.to_string(),
            IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() >> 64 << 64).to_string(),
        })
    }
}

impl<S: Sync> FromRequestParts<S> for ClientAddress {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_household_is_one_network() {
        let network = |text: &str| ClientAddress(Some(text.parse().unwrap())).network().unwrap();
        assert_eq!(network("2001:db8:1:2::7"), network("2001:db8:1:2:ffff::1"));
        assert_ne!(network("2001:db8:1:2::7"), network("2001:db8:1:3::7"));
        assert_eq!(network("::ffff:192.0.2.1"), "192.0.2.1");
    }
}
