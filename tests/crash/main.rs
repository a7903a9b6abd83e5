//! Kills a provider under load again and again, and holds what it said against what it still knows.
//!
//! `cargo test --release --test crash -- [--cycles 50] [--database postgres://server]`. Not part of `cargo test`: it takes
//! minutes. Each cycle starts `vestibule serve`, signs in without pause from thirty-two sessions (a silent authorization
//! request, the code for tokens, the refresh token for its successor; no password is hashed, so that the load is the
//! store's and not the hash's), kills the process with SIGKILL at some moment, starts it again and asks:
//! - is every code that was handed out and not used still good, and every session still there?
//! - does the last refresh token of every family still work, whether its use was answered or cut off?
//! - is nothing that was used good a second time, and has no refresh token two successors?
//!
//! It prints its ledger, and ends with an error if one answer is wrong.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a program that ends by panicking, speaks on standard output and goes by the real clock"
)]

mod client;
mod house;
mod ledger;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use futures_util::future::join_all;

use crate::client::Client;
use crate::house::House;
use crate::ledger::Ledger;

/// Sessions that sign in side by side.
const CLIENTS: usize = 32;

/// Kills a provider under load and counts what it lost.
#[derive(Parser)]
struct Options {
    /// How often to kill it
    #[arg(long, default_value_t = 50)]
    cycles: u32,
    /// A PostgreSQL server on which a database may be made; without it SQLite
    #[arg(long, value_name = "URL")]
    database: Option<String>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::parse();
    rustls::crypto::aws_lc_rs::default_provider().install_default().unwrap();
    let house = House::furnish(options.database.as_deref()).await;
    let mut ledger = Ledger::default();
    let mut server = house.serve().await;
    // One after another: tries of one user that are under way at once count as failures until they succeed.
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        clients.push(Client::sign_in(house.issuer()).await);
    }
    for cycle in 0..options.cycles {
        // Spread over the time in which a commit is written, without a generator of random numbers.
        let life = Duration::from_micros(400_000 + u64::from(cycle) * 7_919 % 300_000);
        let started = Instant::now();
        let work = join_all(clients.iter_mut().map(|client| client.work(started + life)));
        let kill = async {
            tokio::time::sleep(life).await;
            server.kill();
        };
        tokio::join!(work, kill);
        ledger.worked(started.elapsed());
        let restarted = Instant::now();
        server = house.serve().await;
        ledger.restarted(restarted.elapsed());
        for client in &mut clients {
            client.reckon(&mut ledger).await;
        }
    }
    print!("{ledger}");
    if ledger.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
