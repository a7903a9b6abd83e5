//! What each operation costs, beside what its unavoidable part costs in the same run. See `benches/README.md`.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    reason = "a benchmark ends by panicking, speaks on standard output and goes by the real clock"
)]

mod ceilings;
mod http;
mod load;
mod login;
mod peer;
mod place;
mod process;
mod quiet;
mod report;
mod roles;
mod rows;
mod world;

use std::sync::OnceLock;
use std::time::Duration;

use clap::{Parser, Subcommand};
use tokio::runtime::Runtime;

use crate::report::Report;

/// Measures the provider. `cargo bench` runs everything and writes benches/RESULTS.md.
#[derive(Parser)]
#[command(name = "speed")]
struct Options {
    /// Short rounds and small numbers: to see that it works
    #[arg(long)]
    quick: bool,
    /// The numbers that the goals are about: a million operations, users, tokens
    #[arg(long)]
    full: bool,
    /// Only rows whose name holds this word; may be repeated. Nothing is written then
    #[arg(long = "row", value_name = "WORD")]
    rows: Vec<String>,
    /// A PostgreSQL server (postgres://…) on which databases may be made; without it SQLite
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// The Node that runs the peer, where that is installed
    #[arg(long, value_name = "PROGRAM", default_value = "node")]
    node: String,
    /// What cargo says to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
    #[command(subcommand)]
    role: Option<Role>,
}

/// What this program is when it starts itself.
#[derive(Subcommand)]
enum Role {
    #[command(hide = true)]
    Role { role: String, address: String },
}

/// How thoroughly to measure.
pub(crate) struct Plan {
    /// How often each row is measured.
    pub(crate) rounds: usize,
    /// How long each measurement takes.
    pub(crate) long: Duration,
    /// Requests before memory is called settled.
    pub(crate) operations: u64,
    /// The large number of users and of tokens; tenants are a hundredth of it.
    pub(crate) many: i64,
    /// The PostgreSQL server, if it is not SQLite.
    pub(crate) database: Option<String>,
    /// The Node for the peer.
    pub(crate) node: String,
    words: Vec<String>,
}

impl Plan {
    fn of(options: &Options) -> Self {
        let (rounds, millis, operations, many) = match options {
            Options { quick: true, .. } => (2, 200, 2_000, 1_000),
            Options { full: true, .. } => (7, 1_500, 1_000_000, 1_000_000),
            _ => (5, 1_000, 100_000, 100_000),
        };
        let long = Duration::from_millis(millis);
        let (database, words) = (options.database.clone(), options.rows.clone());
        Self { rounds, long, operations, many, database, node: options.node.clone(), words }
    }

    /// Is this row asked for?
    pub(crate) fn wants(&self, name: &str) -> bool {
        self.words.is_empty() || self.words.iter().any(|word| name.contains(word.as_str()))
    }
}

fn main() {
    let options = Options::parse();
    if let Some(Role::Role { role, address }) = &options.role {
        return roles::run(role, address);
    }
    if !options.bench {
        println!("not measured: say `cargo bench`");
        return;
    }
    let plan = Plan::of(&options);
    let mut report = Report::new(&plan);
    rows::measure(&plan, &mut report);
    println!("\n{report}");
    if plan.words.is_empty() && !options.quick {
        std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/benches/RESULTS.md"), report.to_string())
            .unwrap();
    }
}

/// The one runtime of this process, of the kind that the binary has.
pub(crate) fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| Runtime::new().unwrap())
}
