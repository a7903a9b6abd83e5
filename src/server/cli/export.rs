//! `vestibule export`

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

use super::setup::{build, configure};
use crate::server::apply::Syntax;
use crate::server::config::Flags;
use crate::server::failure::Failure;

/// Writes everything as an `apply` document.
pub(super) async fn run(file: Option<&Path>, flags: &Flags) -> Result<(), Failure> {
    let config = configure(flags)?;
    let syntax = file.map_or(Some(Syntax::Toml), Syntax::of);
    let syntax = syntax.ok_or_else(|| Failure::new("the file must be .toml or .json"))?;
    let idp = build(&config).await?;
    let text = idp.export_as(syntax).await;
    idp.db().close().await;
    let text = text.map_err(Failure::new)?;
    match file {
        None => print!("{text}"),
        Some(path) => {
            write(path, &text).map_err(|error| Failure::new(format!("{}: {error}", path.display())))?;
        }
    }
    Ok(())
}

/// Writes a new file that only its owner can read, because it contains secrets.
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(text.as_bytes())
}
