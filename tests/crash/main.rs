//! Kills a provider under load again and again, and holds what it said against what it still knows.
//!
//! `cargo test --release --test crash -- [--cycles 50] [--life 60] [--mail] [--database postgres://server]`. Not part of
//! `cargo test`: it takes minutes. Each cycle starts `vestibule serve`, signs in without pause from thirty-two sessions (a silent authorization
//! request, the code for tokens, the refresh token for its successor; no password is hashed, so that the load is the
//! store's and not the hash's), kills the process with SIGKILL at some moment, starts it again and asks:
//! - is every code that was handed out and not used still good, and every session still there?
//! - does the last refresh token of every family still work, whether its use was answered or cut off?
//! - is nothing that was used good a second time, and has no refresh token two successors?
//! - with `--mail`: was every reset mail that was acknowledged sent, through a mail server that takes its time?
//!
//! A request that is refused or left unanswered while the process lives is an error too.
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
mod mail;
#[expect(dead_code, reason = "the mail server of the integration tests can do more than is asked of it here")]
#[path = "../it/support/smtp.rs"]
mod smtp;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use futures_util::future::join_all;

use crate::client::Client;
use crate::house::House;
use crate::ledger::Ledger;
use crate::mail::ResetMails;

/// Sessions that sign in side by side.
const CLIENTS: usize = 32;

/// Kills a provider under load and counts what it lost.
#[derive(Parser)]
struct Options {
    /// How often to kill it
    #[arg(long, default_value_t = 50)]
    cycles: u32,
    /// Seconds from each start to the kill; without it about half a second
    #[arg(long, value_name = "SECONDS")]
    life: Option<u64>,
    /// Ask for 200 reset mails a minute, through a slow mail server
    #[arg(long)]
    mail: bool,
    /// A PostgreSQL server on which a database may be made; without it SQLite
    #[arg(long, value_name = "URL")]
    database: Option<String>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::parse();
    rustls::crypto::aws_lc_rs::default_provider().install_default().unwrap();
    let mut mails = if options.mail { Some(ResetMails::start().await) } else { None };
    let house = House::furnish(options.database.as_deref(), mails.as_ref(), options.working_time()).await;
    let mut ledger = Ledger::default();
    let mut server = house.serve().await;
    // One after another: tries of one user that are under way at once count as failures until they succeed.
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        clients.push(Client::sign_in(house.issuer()).await);
    }
    for cycle in 0..options.cycles {
        let life = options.life(cycle);
        let started = Instant::now();
        let end = started + life;
        let work = join_all(clients.iter_mut().map(|client| client.work(end)));
        let mail = async {
            match &mut mails {
                Some(mails) => mails.work(house.issuer(), end).await,
                None => None,
            }
        };
        let kill = async {
            tokio::time::sleep(life).await;
            server.kill();
        };
        let (refused, mail_refused, ()) = tokio::join!(work, mail, kill);
        for broken in refused.into_iter().chain([mail_refused]).flatten() {
            ledger.check(false, broken);
        }
        ledger.worked(started.elapsed());
        let restarted = Instant::now();
        server = house.serve().await;
        ledger.restarted(restarted.elapsed());
        for client in &mut clients {
            client.reckon(&mut ledger).await;
        }
        for client in &mut clients {
            client.reckon_families(&mut ledger).await;
        }
    }
    if let Some(mails) = &mails {
        mails.reckon(&mut ledger).await;
    }
    print!("{ledger}");
    if ledger.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

impl Options {
    /// The time from a start to the kill. Unless it is given, it is spread over the time in which a commit is written,
    /// without a generator of random numbers.
    fn life(&self, cycle: u32) -> Duration {
        match self.life {
            Some(seconds) => Duration::from_secs(seconds),
            None => Duration::from_micros(400_000 + u64::from(cycle) * 7_919 % 300_000),
        }
    }

    /// All of these times.
    fn working_time(&self) -> Duration {
        (0..self.cycles).map(|cycle| self.life(cycle)).sum()
    }
}
