//! The provider's metrics: requests, logins, events, messages, password hashes, the store.
//!
//! They are plain numbers, independent of their presentation, and a host can add them to metrics of its own. They
//! contain no text from requests, no client and no user: those have unbounded numbers of values, and metrics are read
//! by people who may not read logs.

mod requests;

use std::collections::BTreeMap;

pub use requests::ResponseCount;
pub(crate) use requests::{InFlight, RequestMetrics};

use super::Idp;
use crate::crypto::password::HashLoad;
use crate::domain::histogram::Readings;
use crate::domain::message::Channel;
use crate::storage;

/// A provider's metrics since it was built. Each is exact, but they are not read at the same instant.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Metrics {
    /// Responses by route, method and class of status code, without zeros.
    pub answers: Vec<ResponseCount>,
    /// Response times by route, in microseconds.
    pub times: Vec<(String, Readings)>,
    /// Logins by outcome: `completed`, `second_factor_failed`, or the reason why a first factor was refused.
    pub logins: BTreeMap<&'static str, u64>,
    /// Events by their names ([`Event::name`](crate::domain::event::Event::name)).
    pub events: BTreeMap<&'static str, u64>,
    /// This node's tries to send a message, by channel and outcome: `sent`, `put_off` or `failed`.
    pub messages: BTreeMap<(Channel, &'static str), u64>,
    /// Password hashes.
    pub hashes: HashLoad,
    /// The store.
    pub store: storage::StoreMetrics,
}

impl Idp {
    /// A snapshot of this provider's metrics.
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
