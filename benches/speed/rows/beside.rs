//! What is spent above the ceiling, beside what a peer spends above it for the same.

use std::time::Duration;

use super::{Goal, House, Row, costs};
use crate::ceilings::Ceilings;
use crate::peer::Peer;
use crate::process::Server;

/// A third of the peer's.
const GOAL: Goal = Goal::Times(0.33);

/// A ceiling of ours and of the peer's, which keeps its rows in memory and writes nothing that lasts.
type Both = fn(&Ceilings) -> (f64, f64);

/// What a request costs at a server.
type Cost = fn(&Server, Duration) -> f64;

const DISCOVERY: Cost = costs::discovery_cost;
const RS256: Cost = |server, long| costs::client_credentials_cost(server, "rs256", long);
const OUR_REFRESH: Cost = |server, long| costs::refresh_cost(server, long, costs::signed_in);
const PEERS_REFRESH: Cost = |server, long| costs::refresh_cost(server, long, Peer::first_token);

pub(super) fn rows<'a>(delivered: &'a House, cheap: &'a House, peer: &'a Peer) -> Vec<Row<'a>> {
    let row = |name, house: &'a House, ours: Cost, peers: Cost, ceilings: Both| {
        let measure = move |measured: &Ceilings, long| {
            let (our_ceiling, peers_ceiling) = ceilings(measured);
            let above = peers(&peer.server, long) - peers_ceiling;
            assert!(above > 0.0, "{name}: the peer is not above its ceiling");
            ((ours(&house.server, long) - our_ceiling).max(0.0), above)
        };
        Row { name, beside: &peer.name, goal: GOAL, measure: Box::new(measure) }
    };
    vec![
        row("discovery above H, beside a peer", delivered, DISCOVERY, DISCOVERY, |c| (c.http, c.http)),
        row("client_credentials RS256 above S, beside a peer", delivered, RS256, RS256, |c| {
            (c.rs256, c.rs256)
        }),
        row(
            "refresh above S + H + W, beside a peer in memory above S + H",
            cheap,
            OUR_REFRESH,
            PEERS_REFRESH,
            |c| (c.es256 + c.http + c.write, c.es256 + c.http),
        ),
        whole_login(delivered, peer),
    ]
}

/// Not above a ceiling: both spend most of it on the same hash, each with the implementation that it comes with.
fn whole_login<'a>(delivered: &'a House, peer: &'a Peer) -> Row<'a> {
    let measure = |_: &Ceilings, long| {
        (costs::login_cost(&delivered.server, long), costs::peers_login_cost(&peer.server, long))
    };
    let name = "whole login, beside a peer in memory";
    Row { name, beside: &peer.name, goal: Goal::Times(1.0), measure: Box::new(measure) }
}

/// Lets the peer compile what it will run, which is not counted.
pub(super) fn warm_up(peer: &Peer, long: Duration) {
    for cost in [DISCOVERY, RS256, PEERS_REFRESH, costs::peers_login_cost] {
        cost(&peer.server, long);
    }
}
