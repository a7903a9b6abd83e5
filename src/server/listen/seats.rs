//! The limits of connections: in all and per network, plus a few spare ones for health checks, so that a busy provider
//! is not restarted for failing them.
//!
//! The proxies in the settings and this machine have no limit of their own, because they forward the requests of many.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ipnet::IpNet;

use super::limits::ListenerLimits;

/// The connection limit. Clones share it.
#[derive(Clone)]
pub(crate) struct ConnectionLimit(Arc<SeatTable>);

struct SeatTable {
    connections: usize,
    per_network: usize,
    spare: usize,
    proxies: Vec<IpNet>,
    taken: Mutex<Taken>,
}

#[derive(Default)]
struct Taken {
    regular: usize,
    spare: usize,
    networks: HashMap<IpAddr, usize>,
    refused: u64,
}

/// The use of the connection limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SeatFigures {
    /// Open connections.
    pub(crate) taken: usize,
    /// Connections refused so far.
    pub(crate) refused: u64,
}

/// A slot for one connection, released on drop.
pub(super) struct Seat {
    seats: ConnectionLimit,
    kind: LimitKind,
    network: Option<IpAddr>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum LimitKind {
    Regular,
    Spare,
}

impl Seat {
    /// Returns whether only health checks are served on this connection.
    pub(super) fn is_spare(&self) -> bool {
        self.kind == LimitKind::Spare
    }
}

impl ConnectionLimit {
    /// Creates the limit with all slots free.
    pub(super) fn new(limits: &ListenerLimits, proxies: &[IpNet]) -> Self {
        Self(Arc::new(SeatTable {
            connections: limits.connections,
            per_network: limits.per_network,
            spare: limits.spare,
            proxies: proxies.to_vec(),
            taken: Mutex::default(),
        }))
    }

    /// A snapshot of its use.
    pub(crate) fn figures(&self) -> SeatFigures {
        let taken = self.taken();
        SeatFigures { taken: taken.regular + taken.spare, refused: taken.refused }
    }

    /// Acquires a slot for a peer; `None` if its network has reached its limit, or even the spare slots are taken.
    pub(super) fn seat(&self, peer: IpAddr) -> Option<Seat> {
        let network = self.network(peer.to_canonical());
        let mut taken = self.taken();
        let of_network =
            network.and_then(|network| taken.networks.get(&network)).copied().unwrap_or_default();
        let kind = if of_network >= self.0.per_network {
            None
        } else if taken.regular < self.0.connections {
            taken.regular += 1;
            Some(LimitKind::Regular)
        } else if taken.spare < self.0.spare {
            taken.spare += 1;
            Some(LimitKind::Spare)
        } else {
            None
        };
        let Some(kind) = kind else {
            taken.refused += 1;
            return None;
        };
        if let Some(network) = network {
            *taken.networks.entry(network).or_default() += 1;
        }
        drop(taken);
        Some(Seat { seats: self.clone(), kind, network })
    }

    /// The unit that is counted: an IPv4 address, or an IPv6 /64; `None` for peers without a limit.
    fn network(&self, peer: IpAddr) -> Option<IpAddr> {
        if peer.is_loopback() || self.0.proxies.iter().any(|proxies| proxies.contains(&peer)) {
            return None;
        }
        Some(match peer {
            IpAddr::V4(_) => peer,
            IpAddr::V6(peer) => Ipv6Addr::from_bits(peer.to_bits() >> 64 << 64).into(),
        })
    }

    /// Ignores poisoning: no code panics while holding the lock.
    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.0.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.seats.taken();
        match self.kind {
            LimitKind::Regular => taken.regular -= 1,
            LimitKind::Spare => taken.spare -= 1,
        }
        let Some(network) = self.network else { return };
        match taken.networks.get_mut(&network) {
            Some(left) if *left > 1 => *left -= 1,
            _ => drop(taken.networks.remove(&network)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seats() -> ConnectionLimit {
        let limits = ListenerLimits { connections: 3, per_network: 2, spare: 1, ..ListenerLimits::default() };
        ConnectionLimit::new(&limits, &["10.0.0.0/8".parse().unwrap()])
    }

    /// One letter per peer: a regular slot, a spare one, none.
    fn come(seats: &ConnectionLimit, peers: &[&str]) -> (Vec<Seat>, String) {
        let came: Vec<_> = peers.iter().map(|peer| seats.seat(peer.parse().unwrap())).collect();
        let kinds = came.iter().map(|seat| match seat {
            Some(seat) if seat.is_spare() => 's',
            Some(_) => 'r',
            None => '-',
        });
        let kinds = kinds.collect();
        (came.into_iter().flatten().collect(), kinds)
    }

    #[test]
    fn one_network_never_takes_all() {
        let seats = seats();
        let peers = ["192.0.2.1", "192.0.2.1", "192.0.2.1", "192.0.2.1", "192.0.2.2"];
        let (_taken, seen) = come(&seats, &peers);
        assert_eq!(seen, "rr--r");
        assert_eq!(seats.figures(), SeatFigures { taken: 3, refused: 2 });
    }

    #[test]
    fn a_household_is_one_network_and_a_proxy_is_none() {
        let (_taken, seen) = come(&seats(), &["2001:db8::1", "2001:db8::2", "2001:db8::3"]);
        assert_eq!(seen, "rr-");
        let (_taken, seen) = come(&seats(), &["10.0.0.1", "10.0.0.1", "::ffff:10.0.0.1", "192.0.2.1"]);
        assert_eq!(seen, "rrrs");
        let (_taken, seen) = come(&seats(), &["127.0.0.1", "::1", "127.0.0.1", "127.0.0.1", "127.0.0.1"]);
        assert_eq!(seen, "rrrs-");
    }

    #[test]
    fn a_seat_is_free_when_who_had_it_goes() {
        let seats = seats();
        for _ in 0..3 {
            let peers = ["192.0.2.1", "192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"];
            let (taken, seen) = come(&seats, &peers);
            assert_eq!(seen, "rrrs-");
            drop(taken);
        }
        assert_eq!(seats.figures(), SeatFigures { taken: 0, refused: 3 });
        assert!(seats.taken().networks.is_empty(), "nothing is remembered of who has gone");
    }
}
