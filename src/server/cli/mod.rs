//! The command line.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line speaks on standard output")]

mod apply;
mod export;
mod keys;
mod master_key;
mod serve;
mod setup;
mod user;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use super::config::Flags;
use super::demo;
use super::failure::Failure;

/// An OpenID Connect identity provider. Without a command: serve.
///
/// Settings are read from flags, then from the environment (`VESTIBULE_ISSUER`, `VESTIBULE_LISTEN` …), then
/// from `vestibule.toml` in the working folder. The master key may be given in `VESTIBULE_MASTER_KEY` (32 bytes,
/// base64) instead of a file below `keys/`.
#[derive(Parser)]
#[command(name = "vestibule", version, args_conflicts_with_subcommands = true)]
struct Line {
    #[command(subcommand)]
    command: Option<MainCommand>,
    #[command(flatten)]
    settings: Flags,
}

#[derive(Subcommand)]
enum MainCommand {
    /// Run the provider until SIGTERM or SIGINT.
    Serve {
        #[command(flatten)]
        settings: Flags,
    },
    /// Try it out: a provider with people in it, and a third-party application that signs them in.
    Demo(demo::DemoOptions),
    /// Bring tenants, groups, users, scopes, APIs and clients to what a file says; applying it again changes nothing.
    Apply {
        /// A .toml or .json file
        file: PathBuf,
        #[command(flatten)]
        settings: Flags,
    },
    /// Write everything that `apply` can restore. The output contains secrets.
    Export {
        /// A .toml or .json file, readable by its owner only [default: TOML on standard output]
        file: Option<PathBuf>,
        #[command(flatten)]
        settings: Flags,
    },
    /// Show or replace the signing keys.
    #[command(subcommand)]
    Keys(keys::KeysCommand),
    /// Help a user who cannot sign in, or invite one to sign in upstream.
    #[command(subcommand)]
    User(user::UserCommand),
    /// The third-party application of the demo, started by it as a separate process.
    #[command(hide = true)]
    DemoApplication(demo::ApplicationOptions),
}

/// Runs the command given by this process's arguments.
pub async fn run() -> ExitCode {
    // Two crates use TLS; this selects the cryptography of both before anything else happens.
    if rustls::crypto::aws_lc_rs::default_provider().install_default().is_err() {
        eprintln!("vestibule: a TLS provider was installed already");
        return ExitCode::FAILURE;
    }
    let line = Line::parse();
    let result = match line.command.unwrap_or(MainCommand::Serve { settings: line.settings }) {
        MainCommand::Serve { settings } => serve::run(&settings).await,
        MainCommand::Demo(options) => demo::run(&options).await,
        MainCommand::Apply { file, settings } => Box::pin(apply::run(&file, &settings)).await,
        MainCommand::Export { file, settings } => export::run(file.as_deref(), &settings).await,
        MainCommand::Keys(command) => keys::run(command).await,
        MainCommand::User(command) => user::run(command).await,
        MainCommand::DemoApplication(options) => demo::run_application(options).await,
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
