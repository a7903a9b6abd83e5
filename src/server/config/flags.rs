//! The settings as command-line flags. Implemented by hand for clap, so that settings are defined in the table only.

use std::collections::BTreeMap;

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};

use super::table::{ROWS, Row, Shape};

/// The settings given as flags, by name; they take precedence over `VESTIBULE_…` variables and the settings file.
#[derive(Clone, Default)]
pub(crate) struct Flags(BTreeMap<&'static str, String>);

impl Flags {
    /// The text given for this setting.
    pub(super) fn text(&self, row: &Row) -> Option<&String> {
        self.0.get(row.name)
    }
}

impl FromArgMatches for Flags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut flags = Self::default();
        flags.update_from_arg_matches(matches)?;
        Ok(flags)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        for row in ROWS.iter().filter(|row| row.flag().is_some()) {
            let text = match row.shape {
                Shape::Switch => matches.get_flag(row.name).then(|| "true".to_owned()),
                Shape::Text => matches.get_one::<String>(row.name).cloned(),
                Shape::Lines => matches
                    .get_many::<String>(row.name)
                    .map(|lines| lines.cloned().collect::<Vec<_>>().join("\n")),
            };
            if let Some(text) = text {
                self.0.insert(row.name, text);
            }
        }
        Ok(())
    }
}

impl Args for Flags {
    fn augment_args(command: Command) -> Command {
        let rows = ROWS.iter().filter_map(|row| Some((row, row.flag()?)));
        rows.fold(command, |command, (row, flag)| command.arg(argument(row, flag)))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

fn argument(row: &Row, flag: String) -> Arg {
    let argument = Arg::new(row.name).long(flag);
    let argument = match row.shape {
        Shape::Switch => return argument.action(ArgAction::SetTrue).help(row.help),
        Shape::Text => argument.value_name(row.value),
        Shape::Lines => argument.value_name(row.value).action(ArgAction::Append),
    };
    argument.help(
        row.default.map_or_else(|| row.help.to_owned(), |text| format!("{} [default: {text}]", row.help)),
    )
}
