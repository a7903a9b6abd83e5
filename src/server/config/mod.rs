//! The settings of the binary: flags over environment over `vestibule.toml` over defaults; all mistakes are reported at
//! once.
//!
//! A setting is one row of [`table::ROWS`] and one field of [`Config`]; flag, variable and place in the file follow
//! from the row's name. Why no configuration crate: three spellings of one name are a few lines, and an error can then
//! name its source and every spelling of the setting.

mod flags;
mod read;
mod senders;
mod sources;
mod table;
mod values;

use std::ffi::OsString;

pub(crate) use self::flags::Flags;
pub(crate) use self::read::LogFormat;
use self::sources::{FILE, Sources};
pub(crate) use self::values::Config;

impl Config {
    /// Loads the settings of this process.
    pub(crate) fn load(flags: &Flags) -> Result<Self, Vec<String>> {
        let file = match std::fs::read_to_string(FILE) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(vec![format!("{FILE}: {error}")]),
        };
        Self::read(flags, std::env::vars_os(), &file)
    }

    fn read(
        flags: &Flags,
        environment: impl Iterator<Item = (OsString, OsString)>,
        file: &str,
    ) -> Result<Self, Vec<String>> {
        let mut sources = Sources::default();
        sources.read_file(file);
        sources.read_environment(environment);
        sources.read_flags(flags);
        let mut config = Self::unread().map_err(|problem| vec![problem])?;
        for row in table::ROWS {
            sources.set(row, &mut config);
        }
        for (name, problem) in config.put_together() {
            sources.refuse(name, &problem);
        }
        let mistakes = sources.mistakes();
        if mistakes.is_empty() { Ok(config) } else { Err(mistakes) }
    }
}

#[cfg(test)]
mod tests;
