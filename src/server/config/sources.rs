//! The sources of settings, and the mistakes found in them. The source with the highest precedence wins, and its
//! mistakes are reported with every spelling of the setting.

use std::collections::BTreeMap;
use std::ffi::OsString;

use super::flags::Flags;
use super::table::{Places, ROWS, Row, Shape};
use super::values::Config;

const PREFIX: &str = "VESTIBULE_";
/// The settings file in the working directory.
pub(super) const FILE: &str = "vestibule.toml";

/// Variables with our prefix that others set: the project's test run, and Kubernetes for a service with this name.
const NOT_SETTINGS: [&str; 3] = ["VESTIBULE_TEST_", "VESTIBULE_SERVICE_", "VESTIBULE_PORT"];

/// The values by setting, and the mistakes so far.
#[derive(Default)]
pub(super) struct Sources {
    said: BTreeMap<&'static str, Said>,
    mistakes: Vec<String>,
}

/// The value of a setting and its source.
struct Said {
    place: String,
    text: String,
}

impl Sources {
    /// Reads the settings file.
    pub(super) fn read_file(&mut self, text: &str) {
        match text.parse::<toml::Table>() {
            Ok(table) => self.read_table("", table),
            // Not the error's own text, which quotes the line: it may contain a password.
            Err(error) => {
                let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
                let line = before.matches('\n').count() + 1;
                self.mistakes.push(format!("{FILE}: line {line}: {}", error.message()));
            }
        }
    }

    /// Reads the members of a section; the section with an empty name is the top level.
    fn read_table(&mut self, section: &str, table: toml::Table) {
        for (member, value) in table {
            let name = format!("{section}{member}");
            let inner = format!("{name}.");
            let row = ROWS.iter().find(|row| row.name == name && row.places != Places::Environment);
            let place = format!("{name} in {FILE}");
            match (row, value) {
                (Some(row), value) => match text_of(row.shape, value) {
                    Ok(text) => drop(self.said.insert(row.name, Said { place, text })),
                    Err(problem) => self.mistakes.push(format!("{place}: {problem}")),
                },
                (None, toml::Value::Table(table)) if ROWS.iter().any(|row| row.name.starts_with(&inner)) => {
                    self.read_table(&inner, table);
                }
                (None, _) if ROWS.iter().any(|row| row.name.starts_with(&inner)) => {
                    self.mistakes.push(format!("{place}: must be a table"));
                }
                (None, _) => self.mistakes.push(format!("{place}: unknown setting")),
            }
        }
    }

    /// Reads the environment, which takes precedence over the file.
    pub(super) fn read_environment(&mut self, variables: impl Iterator<Item = (OsString, OsString)>) {
        for (variable, value) in variables {
            let place = variable.to_string_lossy().into_owned();
            let foreign = NOT_SETTINGS.iter().any(|prefix| place.starts_with(prefix));
            if foreign || !place.starts_with(PREFIX) {
                continue;
            }
            match (ROWS.iter().find(|row| row.variable() == place), value.into_string()) {
                (Some(row), Ok(text)) => drop(self.said.insert(row.name, Said { place, text })),
                (Some(_), Err(_)) => self.mistakes.push(format!("{place}: is not UTF-8")),
                (None, _) => self.mistakes.push(format!("{place}: unknown setting")),
            }
        }
    }

    /// Reads the flags, which take precedence over everything else.
    pub(super) fn read_flags(&mut self, flags: &Flags) {
        for row in ROWS {
            if let (Some(flag), Some(text)) = (row.flag(), flags.text(row)) {
                self.said.insert(row.name, Said { place: format!("--{flag}"), text: text.clone() });
            }
        }
    }

    /// Parses a setting into its field; defaults are parsed the same way.
    pub(super) fn set(&mut self, row: &Row, config: &mut Config) {
        let text = self.said.get(row.name).map(|said| said.text.as_str()).or(row.default);
        if let Some(Err(problem)) = text.map(|text| (row.read)(config, text)) {
            self.refuse(row.name, &problem);
        }
    }

    /// Records a mistake in a setting.
    pub(super) fn refuse(&mut self, name: &str, problem: &str) {
        let place = self.said.get(name).map_or("the default", |said| &said.place);
        let spellings = ROWS.iter().find(|row| row.name == name).map(Row::spellings).unwrap_or_default();
        self.mistakes.push(format!("{place}: {problem} (spelled {spellings})"));
    }

    /// All mistakes.
    pub(super) fn mistakes(self) -> Vec<String> {
        self.mistakes
    }
}

/// Converts a value of the file to the text that the environment would contain.
fn text_of(shape: Shape, value: toml::Value) -> Result<String, &'static str> {
    match (shape, value) {
        (Shape::Text, toml::Value::String(text)) => Ok(text),
        (Shape::Text, _) => Err("must be a text"),
        (Shape::Switch, toml::Value::Boolean(flag)) => Ok(flag.to_string()),
        (Shape::Switch, _) => Err("must be true or false"),
        (Shape::Lines, toml::Value::Array(items)) => {
            let lines = items.iter().map(|item| item.as_str().ok_or("must be a list of texts"));
            Ok(lines.collect::<Result<Vec<_>, _>>()?.join("\n"))
        }
        (Shape::Lines, toml::Value::Table(table)) => {
            let line = |(name, value): (&String, &toml::Value)| Some(format!("{name}: {}", value.as_str()?));
            let lines = table.iter().map(|member| line(member).ok_or("must hold texts alone"));
            Ok(lines.collect::<Result<Vec<_>, _>>()?.join("\n"))
        }
        (Shape::Lines, _) => Err("must be a list or a table of texts"),
    }
}
