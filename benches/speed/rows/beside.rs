//! What is spent above the ceiling, beside what a peer spends above it for the same.

use std::time::Duration;

use super::{Goal, House, Row, costs};
use crate::ceilings::Ceilings;
use crate::peer::Peer;

/// A third of the peer's.
const GOAL: Goal = Goal::Times(0.33);

/// A ceiling of ours and of the peer's, which keeps its rows in memory and writes nothing that lasts.
type Both = fn(&Ceilings) -> (f64, f64);

pub(super) fn rows<'a>(delivered: &'a House, cheap: &'a House, peer: &'a Peer) -> Vec<Row<'a>> {
    vec![
        row(
            "discovery above H, beside a peer",
            peer,
            |c| (c.http, c.http),
            move |long| costs::discovery_cost(&delivered.server, long),
            Peer::discovery,
        ),
        row(
            "client_credentials RS256 above S, beside a peer",
            peer,
            |c| (c.rs256, c.rs256),
            move |long| costs::client_credentials_cost(&delivered.server, "rs256", long),
            Peer::client_credentials,
        ),
        row(
            "refresh above S + H + W, beside a peer in memory above S + H",
            peer,
            |c| (c.es256 + c.http + c.write, c.es256 + c.http),
            move |long| costs::refresh_cost(&cheap.server, long),
            Peer::refresh,
        ),
    ]
}

fn row<'a>(
    name: &'static str,
    peer: &'a Peer,
    ceilings: Both,
    ours: impl Fn(Duration) -> f64 + 'a,
    peers: fn(&Peer, Duration) -> f64,
) -> Row<'a> {
    let measure = move |measured: &Ceilings, long| {
        let (our_ceiling, peers_ceiling) = ceilings(measured);
        let above = peers(peer, long) - peers_ceiling;
        assert!(above > 0.0, "{name}: the peer is not above its ceiling");
        ((ours(long) - our_ceiling).max(0.0), above)
    };
    Row { name, beside: &peer.name, goal: GOAL, measure: Box::new(measure) }
}
