//! The command line.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line speaks on standard output")]

mod apply;
mod export;
mod keys;
mod master_key;
mod serve;
mod user;

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tracing_subscriber::layer::{Identity, Layer, SubscriberExt};
use tracing_subscriber::registry::Registry;
use tracing_subscriber::util::SubscriberInitExt;

use super::config::{Config, Flags, LogFormat};
use super::demo;
use crate::provider::Idp;

/// An OpenID Connect identity provider. Without a command: serve.
///
/// Settings are read from flags, then from the environment (`VESTIBULE_ISSUER`, `VESTIBULE_LISTEN` …), then
/// from `vestibule.toml` in the working folder. The master key may be given in `VESTIBULE_MASTER_KEY` (32 bytes,
/// base64) instead of a file below `keys/`.
#[derive(Parser)]
#[command(name = "vestibule", version, args_conflicts_with_subcommands = true)]
struct Line {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    settings: Flags,
}

#[derive(Subcommand)]
enum Command {
    /// Run the provider until SIGTERM or SIGINT.
    Serve {
        #[command(flatten)]
        settings: Flags,
    },
    /// Try it out: a provider with people in it, and a third-party application that signs them in.
    Demo(demo::Options),
    /// Bring tenants, groups, users, scopes, APIs and clients to what a file says; applying it again changes nothing.
    Apply {
        /// A .toml or .json file
        file: PathBuf,
        #[command(flatten)]
        settings: Flags,
    },
    /// Write everything that `apply` can bring back. The output holds secrets.
    Export {
        /// A .toml or .json file, which only its owner will be able to read [default: TOML on standard output]
        file: Option<PathBuf>,
        #[command(flatten)]
        settings: Flags,
    },
    /// Show the signing keys, or have them replaced.
    #[command(subcommand)]
    Keys(keys::Command),
    /// Help a user who cannot get in, or invite one to sign in upstream.
    #[command(subcommand)]
    User(user::Command),
    /// The third-party application of the demo, which starts it as a process of its own.
    #[command(hide = true)]
    DemoApplication(demo::ApplicationOptions),
}

/// A command failed: one text per problem.
pub(super) struct Failure(pub(super) Vec<String>);

impl Failure {
    /// A failure with one problem.
    pub(super) fn new(problem: impl std::fmt::Display) -> Self {
        Self(vec![problem.to_string()])
    }
}

/// Runs the command given by this process's arguments.
pub async fn run() -> ExitCode {
    // Two crates use TLS; this selects the cryptography of both before anything else happens.
    if rustls::crypto::aws_lc_rs::default_provider().install_default().is_err() {
        eprintln!("vestibule: a TLS provider was installed already");
        return ExitCode::FAILURE;
    }
    let line = Line::parse();
    let result = match line.command.unwrap_or(Command::Serve { settings: line.settings }) {
        Command::Serve { settings } => serve::run(&settings).await,
        Command::Demo(options) => demo::run(&options).await,
        Command::Apply { file, settings } => Box::pin(apply::run(&file, &settings)).await,
        Command::Export { file, settings } => export::run(file.as_deref(), &settings).await,
        Command::Keys(command) => keys::run(command).await,
        Command::User(command) => user::run(command).await,
        Command::DemoApplication(options) => demo::run_application(options).await,
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure(problems)) => {
            for problem in problems {
                eprintln!("vestibule: {problem}");
            }
            ExitCode::FAILURE
        }
    }
}

/// Loads the settings and starts the log.
fn configure(flags: &Flags) -> Result<Config, Failure> {
    let config = Config::load(flags).map_err(Failure)?;
    start_log(&config, Identity::new())?;
    Ok(config)
}

/// Writes log lines to standard error, and spans to `spans` too.
fn start_log(config: &Config, spans: impl Layer<Registry> + Send + Sync) -> Result<(), Failure> {
    // Colours for terminals only: files and collectors do not need them, and they cost time in each request.
    let lines = tracing_subscriber::fmt::layer()
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    let lines = match config.log_format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().boxed(),
    };
    let log = tracing_subscriber::registry().with(spans).with(lines.with_filter(config.log.clone()));
    log.try_init().map_err(Failure::new)
}

/// Builds the provider with these settings.
async fn build(config: &Config) -> Result<Idp, Failure> {
    let builder = Idp::builder(config.settings.clone()).database(&config.database);
    let builder = match &config.master_key {
        Some(key) => builder.master_key(key.as_str()),
        None => builder.keys(&config.keys),
    };
    let builder = match config.mail.clone() {
        Some(mail) => builder.mailer(mail),
        None => builder,
    };
    let builder = match config.sms.clone() {
        Some(sms) => builder.sms(sms),
        None => builder,
    };
    builder.build().await.map_err(|error| Failure(error.problems))
}
