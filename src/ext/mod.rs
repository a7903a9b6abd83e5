//! What a host may implement: its clock and its observer. Every trait has a default that needs nothing.

mod clock;
mod observer;

pub use clock::{Clock, SystemClock};
pub use observer::{LogObserver, Observer};
