//! `vestibule apply`

use std::path::Path;

use super::setup::{build, configure};
use crate::server::apply::ApplyError;
use crate::server::config::Flags;
use crate::server::failure::Failure;

/// Applies a file and prints the changes.
pub(super) async fn run(file: &Path, flags: &Flags) -> Result<(), Failure> {
    let config = configure(flags)?;
    let place = file.display();
    let idp = build(&config).await?;
    let applied = idp.apply_file(file).await;
    idp.db().close().await;
    let applied = applied.map_err(|error| match error {
        ApplyError::Mistakes(mistakes) => {
            Failure(mistakes.into_iter().map(|mistake| format!("{place}: {mistake}")).collect())
        }
        ApplyError::Failed(problem) => Failure::new(problem),
    })?;
    println!("{applied}");
    Ok(())
}
