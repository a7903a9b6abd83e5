//! Load: so many connections, each sending its next request when the last is answered.

use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::http::Connection;
use crate::process::Server;

/// Connections; also how many ask a ceiling at once.
pub(crate) const CLIENTS: usize = 16;

/// What one operation costs the server, in microseconds of CPU time.
///
/// `client` prepares the n-th client, its warming-up included, and gives what it does again and again until `long` is
/// over. What the preparation costs is not counted.
pub(crate) fn cost<'a, W>(
    server: &Server,
    long: Duration,
    client: impl Fn(usize, &mut Connection) -> W + Sync,
) -> f64
where
    W: FnMut(&mut Connection) + 'a,
{
    let (prepared, started) = (Barrier::new(CLIENTS + 1), Barrier::new(CLIENTS + 1));
    let operations = AtomicU64::new(0);
    let spent = thread::scope(|scope| {
        let threads: Vec<_> = (0..CLIENTS)
            .map(|number| {
                let (client, prepared, started, operations) = (&client, &prepared, &started, &operations);
                scope.spawn(move || {
                    let mut connection = Connection::open(server.address);
                    let mut work = client(number, &mut connection);
                    prepared.wait();
                    started.wait();
                    let end = Instant::now() + long;
                    while Instant::now() < end {
                        work(&mut connection);
                        operations.fetch_add(1, Ordering::Relaxed);
                    }
                })
            })
            .collect();
        prepared.wait();
        let before = server.spent();
        started.wait();
        for thread in threads {
            thread.join().unwrap();
        }
        server.spent().since(&before)
    });
    micros(spent) / operations.into_inner() as f64
}

/// The same for one request that every client sends, and whose answer must be a success.
pub(crate) fn cost_of(server: &Server, long: Duration, request: &[u8]) -> f64 {
    cost(server, long, |_, connection| {
        connection.ask(request);
        |connection: &mut Connection| drop(connection.ask(request))
    })
}

pub(crate) fn micros(span: Duration) -> f64 {
    span.as_secs_f64() * 1e6
}
