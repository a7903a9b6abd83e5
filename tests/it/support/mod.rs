//! What the integration tests share.

pub(crate) mod chromium;
pub(crate) mod network;
pub(crate) mod passkey;
pub(crate) mod process;
pub(crate) mod smtp;

use std::collections::BTreeSet;
use std::io::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};

use axum::Router;
use tokio::net::TcpListener;
use vestibule::ext::Clock;

/// A clock that goes on by 250 ms whenever it is read, so that every look at the catalogue is an old one.
pub(crate) struct HurriedClock(AtomicI64);

impl Default for HurriedClock {
    fn default() -> Self {
        Self(AtomicI64::new(1_772_452_800_000))
    }
}

impl Clock for HurriedClock {
    fn unix_millis(&self) -> i64 {
        self.0.fetch_add(250, Ordering::Relaxed)
    }
}

/// What a suite needs from outside, named by an environment variable that `./tests/run` sets.
///
/// Without it the suite is left out, and says so past libtest's capture; in CI it fails instead.
pub(crate) fn optional(suite: &'static str, variable: &'static str) -> Option<String> {
    static NAMED: Mutex<BTreeSet<&str>> = Mutex::new(BTreeSet::new());
    let value = std::env::var(variable).ok().filter(|value| !value.is_empty());
    if value.is_none() {
        assert!(!is_ci(), "{suite}: {variable} is not set, and in CI nothing may be left out");
        if NAMED.lock().unwrap().insert(suite) {
            let note = format!("\nLEFT OUT: {suite} ({variable} is not set; ./tests/run runs everything)\n");
            std::io::stderr().write_all(note.as_bytes()).unwrap();
        }
    }
    value
}

fn is_ci() -> bool {
    std::env::var("CI").is_ok_and(|ci| ci == "true")
}

/// A loopback port, and its address without a slash at the end.
pub(crate) async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    (listener, address)
}

/// Serves a router there for as long as the test runs.
pub(crate) fn serve(listener: TcpListener, router: Router) {
    tokio::spawn(async { axum::serve(listener, router).await });
}
