//! The binary: everything it does is in `vestibule::server::cli`.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    vestibule::server::cli::run().await
}
