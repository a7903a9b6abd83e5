//! What can be counted about a provider, read where it is counted: its routes, its doors, its hashes, its store.
//!
//! Plain numbers, so that no room below the server knows who shows them, and a host that has figures of its own can show
//! these among them. No text that somebody typed or sent is in here, no client and no user: their number has no bound,
//! and figures are read by people who may not read logs.

mod requests;

use std::collections::BTreeMap;

pub use requests::ResponseCount;
pub(crate) use requests::{InFlight, RequestMetrics};

use super::Idp;
use crate::crypto::password::HashLoad;
use crate::domain::histogram::Readings;
use crate::domain::message::Channel;
use crate::storage;

/// A provider's figures since it was built, as of now. Each is exact; together they are not one moment's.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Metrics {
    /// Answers by route, method and class of status code; what never happened is left out.
    pub answers: Vec<ResponseCount>,
    /// How long the answers of each route took, in microseconds.
    pub times: Vec<(String, Readings)>,
    /// How logins came out: `completed`, `second_factor_failed`, or the reason why a first factor was refused.
    pub logins: BTreeMap<&'static str, u64>,
    /// Events by their names ([`Event::name`](crate::domain::event::Event::name)).
    pub events: BTreeMap<&'static str, u64>,
    /// What came of this node's tries to send a message, by way: `sent`, `put_off` or `failed`.
    pub messages: BTreeMap<(Channel, &'static str), u64>,
    /// Password hashes.
    pub hashes: HashLoad,
    /// The store.
    pub store: storage::Metrics,
}

impl Idp {
    /// What can be counted about this provider.
    pub fn figures(&self) -> Metrics {
        let traffic = self.traffic();
        Metrics {
            answers: traffic.answers(),
            times: traffic.times(),
            logins: traffic.logins(),
            events: traffic.events(),
            messages: traffic.messages(),
            hashes: self.hasher().load(),
            store: self.db().figures(),
        }
    }
}
